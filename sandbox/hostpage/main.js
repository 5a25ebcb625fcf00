// The page itself. It waits until every plugin's script has loaded or failed, as Stash's does (stash 9.1).
import React from "react";
import ReactDOM from "react-dom";
import { gql, ApolloProvider } from "@apollo/client";
import { BrowserRouter, Link, Redirect, Route, Switch } from "react-router-dom";
import "./host.css";
import { atLeast, client, container, patchable, routes } from "./api";
import { OwnSettings, settingsPage } from "./settings";
import { sceneCard, scenePage, scenesPage } from "./scenes";

const plain = (name) => (props) => <>{props.children}</>;
const since = (version, name) => (atLeast(version) ? container(name) : plain(name));
const UtilityItems = container("MainNavBar.UtilityItems");
const Tabs = since(28, "ScenePage.Tabs");
const TabContent = since(28, "ScenePage.TabContent");
const PluginSettings = patchable("PluginSettings", OwnSettings);
const Overlays = patchable("SceneCard.Overlays", () => null);
const SceneCard = patchable("SceneCard", sceneCard(Overlays));
const PluginRoutes = patchable("PluginRoutes", (props) => <>{props.children}</>);

const Scenes = scenesPage(client, SceneCard);
const Scene = scenePage(client, Tabs, TabContent);
const Settings = settingsPage(client, PluginSettings);

function NavBar() {
  const items = <UtilityItems />;
  return (
    <nav className="top-nav navbar navbar-expand-xl fixed-top navbar-dark">
      <Link to="/" className="navbar-brand">
        Stash
      </Link>
      <div className="navbar-nav flex-row mr-auto">
        <Link className="minimal" to="/scenes">
          Scenes
        </Link>
        <Link className="minimal" to="/settings">
          Settings
        </Link>
      </div>
      <div className="navbar-buttons d-none d-xl-flex">{items}</div>
      <div className="navbar-buttons d-flex d-xl-none">{items}</div>
    </nav>
  );
}

function App() {
  const base = new URL(document.baseURI).pathname.replace(/\/$/, "");
  return (
    <ApolloProvider client={client}>
      <BrowserRouter basename={base}>
        <NavBar />
        <div className="main container-fluid">
          <Switch>
            <Route exact path="/scenes" component={Scenes} />
            <Route path="/scenes/:id" component={Scene} />
            <Route path="/settings" component={Settings} />
            {routes.map(({ path, component }) => (
              <Route key={path} path={path} component={component} />
            ))}
            <Route exact path="/">
              <Redirect to="/scenes" />
            </Route>
            <Route>
              <PluginRoutes>404: there is no such page</PluginRoutes>
            </Route>
          </Switch>
        </div>
      </BrowserRouter>
    </ApolloProvider>
  );
}

const PLUGINS = gql`
  query Plugins {
    plugins {
      id
      enabled
      requires
      paths {
        javascript
        css
      }
    }
  }
`;
const onPage = (kind, attributes) =>
  new Promise((resolve) => {
    const element = Object.assign(document.createElement(kind), attributes, { onload: resolve, onerror: resolve });
    document.head.appendChild(element);
  });
const relative = (address) => new URL(address, document.baseURI).href;

client.query({ query: PLUGINS }).then(async ({ data }) => {
  for (const plugin of (data.plugins || []).filter((one) => one.enabled)) {
    (plugin.paths.css || []).forEach((href) => onPage("link", { rel: "stylesheet", href: relative(href) }));
    for (const src of plugin.paths.javascript || []) await onPage("script", { src: relative(src), defer: true });
  }
  ReactDOM.render(<App />, document.getElementById("root"));
});
