// The page of scene cards, and the page of one scene with its tabs.
import React, { useEffect, useState } from "react";
import { gql } from "@apollo/client";
import { Link, useParams } from "react-router-dom";
import { Nav, Tab } from "react-bootstrap";

const CARDS = gql`
  query Cards($filter: FindFilterType) {
    findScenes(filter: $filter) {
      count
      scenes {
        id
        title
        updated_at
        paths {
          screenshot
        }
        files {
          path
        }
      }
    }
  }
`;
const SCENE = gql`
  query Scene($id: ID!) {
    findScene(id: $id) {
      id
      title
      details
      date
      updated_at
      files {
        path
      }
    }
  }
`;
const nameOf = (scene) => scene.title || (scene.files[0] ? scene.files[0].path.split("/").pop() : "Scene " + scene.id);

export function scenesPage(client, SceneCard) {
  return function ScenesPage() {
    const [found, setFound] = useState(null);
    useEffect(() => {
      const filter = { page: 1, per_page: 40, sort: "updated_at", direction: "DESC" };
      client.query({ query: CARDS, variables: { filter }, fetchPolicy: "no-cache" }).then((answer) => {
        setFound(answer.data.findScenes);
      });
    }, []);
    if (!found) return <p>Loading</p>;
    return (
      <div className="scene-cards">
        {found.scenes.map((scene) => (
          <SceneCard key={scene.id} scene={scene} />
        ))}
      </div>
    );
  };
}

export function sceneCard(Overlays) {
  return function SceneCard({ scene }) {
    return (
      <div className="scene-card card">
        <div className="thumbnail-section">
          <Link to={"/scenes/" + scene.id}>
            <img alt="" loading="lazy" src={scene.paths.screenshot} />
          </Link>
          <Overlays scene={scene} />
        </div>
        <div className="card-section">
          <Link to={"/scenes/" + scene.id}>{nameOf(scene)}</Link>
        </div>
      </div>
    );
  };
}

export function scenePage(client, Tabs, TabContent) {
  return function ScenePage() {
    const { id } = useParams();
    const [scene, setScene] = useState(null);
    const [tab, setTab] = useState("scene-details-panel");
    useEffect(() => {
      client.query({ query: SCENE, variables: { id }, fetchPolicy: "no-cache" }).then((answer) => {
        setScene(answer.data.findScene);
      });
    }, [id]);
    if (!scene) return <p>Loading</p>;
    return (
      <div className="scene-tabs">
        <h3 className="scene-header">{nameOf(scene)}</h3>
        <Tab.Container activeKey={tab} onSelect={(key) => setTab(key)}>
          <Nav variant="tabs" className="mr-auto">
            <Tabs scene={scene}>
              <Nav.Item>
                <Nav.Link eventKey="scene-details-panel">Details</Nav.Link>
              </Nav.Item>
            </Tabs>
          </Nav>
          <Tab.Content>
            <TabContent scene={scene}>
              <Tab.Pane eventKey="scene-details-panel">
                <p className="py-3">{scene.details}</p>
              </Tab.Pane>
            </TabContent>
          </Tab.Content>
        </Tab.Container>
      </div>
    );
  };
}
