import type { NewEvent } from "@acuris/eventstore-api";
import { ConnectFromPool, PgEventSource } from "@acuris/eventstore-postgresql";
import type { SynapEvent } from "@synap/types";
import { lastValueFrom, toArray } from "rxjs";
import type { Competitor } from "./competitor.ts";
import { openPeer } from "./open-peer.ts";
import { plainTypes } from "./plain-types.ts";

const SCHEMA = "eventstore";
const ROLES = ["eventstore_writer", "eventstore_reader"];

/**
 * `@acuris/eventstore-postgresql`, read as the README of `@acuris/eventstore-api` shows ("Reading a stream") and written
 * through its stream writer, which is one transaction for a call. Its README advises nothing about connections;
 * `ConnectFromPool` is its own pool, here with 10 connections as the others have. It has no bulk append: a batch is one
 * statement for each event.
 */
export function openAcuris(serverUrl: string): Promise<Competitor> {
  return openPeer(serverUrl, { id: "acuris", name: "Acuris", roles: ROLES }, (url) => {
    const pool = new ConnectFromPool({ connectionString: url, max: 10, types: plainTypes });
    const source = new PgEventSource(pool, SCHEMA);
    return {
      append: (events) => source.streamWriter.write(streamOf(events), events.map(acurisEvent)),
      read: async (example) => {
        const stream = source.streamReader.readStreamForwards(streamOf([example]));
        const events = await lastValueFrom(stream.pipe(toArray()));
        return () => events.map(({ event }) => String(event.metadata.id));
      },
      install: () => source.manageSchema.create(),
      close: () => source.close(),
      selectIds: `SELECT metadata ->> 'id' AS id FROM ${SCHEMA}.event`,
    };
  });
}

function streamOf([first]: readonly SynapEvent[]) {
  if (first === undefined) throw new Error("There is no event that names a stream.");
  return { category: first.aggregateType, id: first.aggregateId };
}

/** The same content: what it has no column for is metadata. */
function acurisEvent(event: SynapEvent): NewEvent {
  const { type, data, aggregateType: _type, aggregateId: _id, ...envelope } = event;
  return { type, data, metadata: envelope };
}
