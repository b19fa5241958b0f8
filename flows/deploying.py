"""Puts on a Prefect server all that jalon needs there, as `python -m flows.deploying`; done again, it changes nothing.

The same result as `prefect deploy --all` from the same table, in a third of its time. `--mend` puts right what is not as declared and
leaves the pages alone; `--check` changes nothing. Both print the differences as a JSON list of French sentences.
"""

from __future__ import annotations

import asyncio
import json
import sys

from prefect.client.orchestration import PrefectClient, get_client

from flows import rounds
from flows.declared import differences, mended
from flows.desk.publishing import Desk
from flows.home import shared_home
from flows.server.credential import speak_as_jalon
from flows.settings import settings


async def install() -> None:
    """All of it: what has to be on the server before a worker may start. A step added here must bear being done again."""
    async with get_client() as client:
        await answers(client)
        await mended(client, again=True)
    await rounds.open_desk(shared_home(settings()))


async def answers(client: PrefectClient) -> None:
    """Wait for the server, which may just have been started; whoever started us ends us when it does not come."""
    while await client.api_healthcheck() is not None:  # noqa: ASYNC110 - the server is another process: nobody can wake us
        await asyncio.sleep(0.1)


async def mend() -> list[str]:
    """Put right what is not as declared; what that was."""
    async with get_client() as client:
        told = await mended(client)
        if told:
            await Desk(shared_home(settings()), client).offer()  # a form that was made again offers nobody yet
        return told


async def check() -> list[str]:
    """What is not as declared."""
    async with get_client() as client:
        return [difference.sentence for difference in await differences(client)]


def main(words: list[str]) -> None:
    """Do what the words ask."""
    speak_as_jalon()
    if words:
        print(json.dumps(asyncio.run(mend() if words == ["--mend"] else check()), ensure_ascii=False))
    else:
        asyncio.run(install())


if __name__ == "__main__":
    main(sys.argv[1:])
