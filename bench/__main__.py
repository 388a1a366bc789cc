"""`make bench`: runs every benchmark, one after the other, each in a process of its own, and says which could not run."""

import subprocess
import sys
import time

import click

BENCHES = {
    "speech_accuracy": "character error rate and CPU of the recogniser, live and final, beside stock",
    "law_stard": "search quality on law_stard through Elasticsearch",
    "questions": "the test questions, typed and spoken: S@1, S@3, shown and wrongly shown",
    "search_latency": "search latency with 10,000 articles over the API",
    "ami_events": "AMI events a second from a real Asterisk, none lost",
    "streams": "500 open streams",
    "dialer": "24 lines for ten simulated hours, the dialer killed every 20 minutes",
    "simultaneous_calls": "40 recorded calls with two taps each",
    "statistics": "1,000,000 calls and 1,000,000 answers: every statistics page, and the hall feed",
    "wallboard": "the hall screen: memory flat over 3,600 updates in ten minutes with cuts; 500 displays on one server",
    "call_latency": "from the last sounding sample to the page, at 1, 4 and 6 calls, and ten minutes at 4",
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
def main(names: tuple[str, ...]) -> None:
    """Run all benchmarks, or those named."""
    failed = []
    for name in names or BENCHES:
        click.echo(f"\n=== {name}: {BENCHES[name]}")
        since = time.monotonic()
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode:
            failed.append(name)
        click.echo(f"--- {name}: {time.monotonic() - since:.0f} s")
    if failed:
        click.echo(f"failed: {', '.join(failed)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
