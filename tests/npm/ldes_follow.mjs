// Follows an event stream with the npm ldes-client and prints each member as a line of JSON.
// usage: node ldes_follow.mjs FOLDER URL [--follow] [--ordered]     FOLDER holds node_modules
import { pathToFileURL } from "node:url";
import path from "node:path";

const [folder, url, ...flags] = process.argv.slice(2);
const library = path.resolve(folder, "node_modules/ldes-client/dist/lib/client.js");
const { replicateLDES } = await import(pathToFileURL(library));

const ACTIVITY = "https://www.w3.org/ns/activitystreams#";
const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const TITLE = "http://purl.org/dc/terms/title";
// The shape of DCAT-AP feeds is at an address of its own, and tests ask nobody but the node.
const client = replicateLDES(
  { url, noShape: true, polling: flags.includes("--follow"), pollInterval: 200 },
  flags.includes("--ordered") ? "ascending" : "none",
);
client.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
for await (const member of client.stream()) {
  const id = member.id.value;
  const said = member.quads.filter((quad) => quad.subject.value === id && quad.graph.value === "");
  const value = (predicate) => said.find((quad) => quad.predicate.value === predicate)?.object.value;
  const payload = member.quads.filter((quad) => quad.graph.value === id);
  console.log(
    JSON.stringify({
      id,
      type: value(TYPE)?.replace(ACTIVITY, ""),
      object: value(ACTIVITY + "object"),
      published: value(ACTIVITY + "published"),
      sequence: Number(id.split("#").pop()),
      said: said.map((quad) => quad.predicate.value.replace(ACTIVITY, "").replace(TYPE, "type")).sort(),
      payload: payload.length,
      kinds: payload
        .filter((quad) => quad.predicate.value === TYPE && quad.subject.value === value(ACTIVITY + "object"))
        .map((quad) => quad.object.value.split("#").pop()),
      titles: payload.filter((quad) => quad.predicate.value === TITLE).map((quad) => quad.object.value),
    }),
  );
}
