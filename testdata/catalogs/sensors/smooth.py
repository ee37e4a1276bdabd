"""Gives for each reading the mean of the last readings of its sensor.

Speaks the derive protocol: a JSON object a line, whose only property says what it is. The last readings of a sensor are the state,
which is committed together with the documents that were made with it, so that nothing is counted twice or forgotten.
"""

import json
import sys


def answer(response):
    sys.stdout.write(json.dumps(response) + "\n")
    sys.stdout.flush()


def publish(document):
    # It is sent on with the next answer at the latest.
    sys.stdout.write(json.dumps({"published": {"doc": document}}) + "\n")


def smooth(reading, state, count):
    """Adds a reading to those of its sensor, of which as many are kept; gives their mean."""
    last = (state.get(reading["sensor"], []) + [reading["celsius"]])[-count:]
    state[reading["sensor"]] = last
    return sum(last) / len(last)


def main():
    state, changed, count = {}, set(), 1
    for line in sys.stdin:
        [(kind, request)] = json.loads(line).items()
        if kind == "spec":
            schema = {"type": "object", "properties": {"readings": {"type": "integer"}}}
            answer({"spec": {"protocol": 3032023, "configSchema": schema, "resourceConfigSchema": {}}})
        elif kind == "validate":
            answer({"validated": {"transforms": [{} for _ in request["transforms"]]}})
        elif kind == "open":
            state = request.get("state", {})
            count = request["collection"]["derivation"]["config"]["readings"]
            answer({"opened": {}})
        elif kind == "read":
            reading = request["doc"]
            mean = smooth(reading, state, count)
            changed.add(reading["sensor"])
            publish({"sensor": reading["sensor"], "at": reading["at"], "celsius": mean})
        elif kind == "flush":
            answer({"flushed": {}})
        elif kind == "startCommit":
            update = {sensor: state[sensor] for sensor in changed}
            changed.clear()
            answer({"startedCommit": {"state": {"updated": update, "mergePatch": True}}})
        elif kind == "reset":
            state, changed = {}, set()
        else:
            raise ValueError(f"a request that is not known: {kind}")


main()
