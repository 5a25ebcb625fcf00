// window.PluginApi as Stash has it (stash 9.2): patches, registered routes and components, libraries and helpers.
import React from "react";
import ReactDOM from "react-dom";
import * as ReactRouterDOM from "react-router-dom";
import * as Bootstrap from "react-bootstrap";
import * as Apollo from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { getMainDefinition } from "@apollo/client/utilities";
import { createClient } from "graphql-ws";
import { useSettings } from "./settings";

const [, major, minor] = (document.documentElement.dataset.version || "v0.30.1").match(/v(\d+)\.(\d+)/).map(Number);
export const atLeast = (wanted) => major > 0 || minor >= wanted;

const address = new URL("graphql", document.baseURI);
const sockets = new URL(address);
sockets.protocol = address.protocol === "https:" ? "wss:" : "ws:";
const isSubscription = ({ query }) => getMainDefinition(query).operation === "subscription";
export const client = new Apollo.ApolloClient({
  cache: new Apollo.InMemoryCache(),
  link: Apollo.split(
    isSubscription,
    new GraphQLWsLink(createClient({ url: sockets.href, retryAttempts: 3 })),
    new Apollo.HttpLink({ uri: address.href }),
  ),
});

const before = {};
const instead = {};
const after = {};
const note = (where) => (name, fn) => (where[name] = where[name] || []).push(fn);

export const components = {};
// A component that plugins may patch; its arguments are (props, context), and next() comes last.
export function patchable(name, component) {
  const patched = function (...given) {
    const args = (before[name] || []).reduce((now, fn) => fn.apply(null, now), given);
    const call = (fns) => (fns.length ? (...now) => fns[0](...now, call(fns.slice(1))) : component);
    const result = call(instead[name] || [])(...args);
    return (after[name] || []).reduce((now, fn) => fn.apply(null, args.concat(now)), result);
  };
  patched.displayName = name;
  components[name] = patched;
  return patched;
}
export const container = (name) => patchable(name, (props) => <>{props.children}</>);

export const routes = [];

window.PluginApi = {
  React,
  ReactDOM,
  GQL: {},
  libraries: { ReactRouterDOM, Bootstrap, Apollo },
  components,
  loadableComponents: {},
  hooks: {
    useSettings,
    useToast: () => ({ success: () => {}, error: () => {}, toast: () => {} }),
    useLoadComponents: () => false,
  },
  utils: { StashService: { getClient: () => client }, NavUtils: {}, loadComponents: () => Promise.resolve() },
  register: {
    route: (path, component) => routes.push({ path, component }),
    component: (name, component) => {
      if (components[name]) throw new Error("Component " + name + " has already been registered");
      components[name] = component;
    },
  },
  patch: { before: note(before), instead: note(instead), after: note(after) },
  Event: new EventTarget(),
};
