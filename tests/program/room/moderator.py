#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""A moderator of a room of Janus, who removes a member or the whole room.

    moderator.py SERVER ROOM SECRET kick NAME
    moderator.py SERVER ROOM SECRET destroy

SERVER is the address of the HTTP transport.
"""

import json
import sys
import urllib.request
import uuid


def post(url, message):
    data = json.dumps(message | {"transaction": uuid.uuid4().hex}).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def main():
    server, room, secret, request, *names = sys.argv[1:]
    session = f"{server}/{post(server, {'janus': 'create'})['data']['id']}"
    attached = post(session, {"janus": "attach", "plugin": "janus.plugin.videoroom"})
    handle = f"{session}/{attached['data']['id']}"

    def ask(**body):
        response = post(handle, {"janus": "message", "body": {"room": int(room), **body}})
        data = response["plugindata"]["data"]
        if "error" in data:
            sys.exit(f"moderator.py: {data['error']}")
        return data

    if request == "kick":
        members = ask(request="listparticipants")["participants"]
        ids = [member["id"] for member in members if member.get("display") in names]
        for member in ids:
            ask(request="kick", secret=secret, id=member)
        if not ids:
            sys.exit(f"moderator.py: {names} is not in the room")
    else:
        ask(request=request, secret=secret)


if __name__ == "__main__":
    main()
