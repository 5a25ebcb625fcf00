// The settings page: it saves, 500 ms after any change, the settings of all plugins as this tab loaded them (stash 5).
import React, { createContext, useContext, useEffect, useRef, useState } from "react";
import { gql } from "@apollo/client";

const Settings = createContext(null);
export const useSettings = () => useContext(Settings);

const CONFIGURE = gql`
  mutation ConfigurePlugin($plugin_id: ID!, $input: Map!) {
    configurePlugin(plugin_id: $plugin_id, input: $input)
  }
`;
const LOAD = gql`
  query Settings {
    configuration {
      plugins
    }
    plugins {
      id
      name
      settings {
        name
        display_name
        description
        type
      }
    }
  }
`;

export function settingsPage(client, PluginSettings) {
  return function SettingsPage() {
    const [plugins, setPlugins] = useState({});
    const [known, setKnown] = useState(null);
    const [pending, setPending] = useState(undefined);
    const timer = useRef();
    useEffect(() => {
      client.query({ query: LOAD, fetchPolicy: "no-cache" }).then(({ data }) => {
        setPlugins(data.configuration.plugins);
        setKnown(data.plugins);
      });
    }, []);
    useEffect(() => {
      if (!pending) return;
      clearTimeout(timer.current);
      timer.current = setTimeout(async () => {
        for (const plugin_id of Object.keys(pending)) {
          await client.mutate({ mutation: CONFIGURE, variables: { plugin_id, input: pending[plugin_id] } });
        }
        setPending(undefined);
      }, 500);
    }, [pending]);
    const savePluginSettings = (id, input) => {
      setPlugins({ ...plugins, [id]: input });
      setPending((now) => ({ ...(now || plugins), [id]: input }));
    };
    if (!known) return <p>Loading</p>;
    return (
      <Settings.Provider value={{ plugins, savePluginSettings }}>
        <div id="settings-container" className="container">
          <h1>Plugins</h1>
          {known.map((plugin) => (
            <div key={plugin.id} className="setting-group card mb-3">
              <h3 className="py-3">{plugin.name}</h3>
              <PluginSettings pluginID={plugin.id} settings={plugin.settings} />
            </div>
          ))}
        </div>
      </Settings.Provider>
    );
  };
}

export function OwnSettings({ pluginID, settings }) {
  const { plugins, savePluginSettings } = useSettings();
  const own = plugins[pluginID] || {};
  const save = (name, value) => savePluginSettings(pluginID, { ...own, [name]: value });
  const control = (setting) => {
    const id = "plugin-" + pluginID + "-" + setting.name;
    const label = setting.display_name || setting.name;
    const value = own[setting.name];
    if (setting.type === "BOOLEAN") {
      const change = (event) => save(setting.name, event.target.checked);
      return <input type="checkbox" id={id} aria-label={label} checked={!!value} onChange={change} />;
    }
    const number = setting.type === "NUMBER";
    const change = (event) => save(setting.name, number ? parseInt(event.target.value, 10) || 0 : event.target.value);
    const common = { id, "aria-label": label, className: "form-control text-input w-auto", onChange: change };
    return (
      <input type={number ? "number" : "text"} value={value === undefined ? (number ? 0 : "") : value} {...common} />
    );
  };
  return (
    <div className="plugin-settings">
      {settings.map((setting) => (
        <div className="setting" key={setting.name}>
          <div>
            <h3 className="h6 mb-0">{setting.display_name || setting.name}</h3>
            <div className="sub-heading">{setting.description}</div>
          </div>
          <div>{control(setting)}</div>
        </div>
      ))}
    </div>
  );
}
