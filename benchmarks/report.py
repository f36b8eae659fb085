"""The results as a page for people."""

from typing import Any

from benchmarks.contenders import CLASSIC, CONTENDERS, LOWER_BOUND
from benchmarks.measure import DISTURBED
from benchmarks.results import Goal, Results, Spread, command, counting, goals, seconds_of, speed_against, spread, work

MB = 1e6


def render(results: Results) -> str:
    """The page, as Markdown."""
    parts = [
        "# Benchmark results",
        _about(results.about),
        "## Speed",
        _speed(results),
        _explained(results),
        "## Goals",
        table(["goal", "wanted", "measured", "met"], [_goal(goal) for goal in goals(results)]),
        "## Start-up and planning",
        table(["seconds before the first shard and after the last", "total", "before", "after"], _startup(results)),
        _planning(results.planning),
        "## Peak memory, MB",
        table(["contender", "parent", "largest other process", "all processes at once"], _memory(results)),
        "From a run of its own, sampled every 20 ms; memory that processes share counts in each of them.",
    ]
    return "\n\n".join(parts) + "\n"


def _about(about: dict[str, Any]) -> str:
    data, machine = about["data"], about["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    kinds = ", ".join(f"{count} {kind}" for kind, count in data["kinds"].items())
    mean = data["bytes"] / data["images"] / 1000
    return "\n".join(
        [
            f"- Made by `{about['command']}` on {about['date']}, commit {about['commit']}",
            f"- Machine: {machine['cores']} cores, {machine['cpu']}, {machine['memory_gb']:.0f} GB",
            f"- Versions: {versions}",
            f"- Data: {data['images']} images, mean {mean:.0f} KB, 20 labels, in the page cache: {kinds}",
        ]
    )


def _speed(results: Results) -> str:
    heads = [
        "contender",
        "runs that count",
        "work, s",
        "images/s",
        "× classic",
        "× lower bound",
        "whole command, s",
        "× classic, whole",
        "CPU, s",
        "others' CPU, s",
        "MB written",
    ]
    return table(heads, [_contender(results, contender.name) for contender in CONTENDERS])


def _contender(results: Results, name: str) -> list[str]:
    runs = counting(results, name)
    seconds = seconds_of(results, name, work)
    return [
        name,
        f"{len(runs)} of {len(results.runs[name])}",
        _ranged(seconds),
        f"{runs[0].images / seconds.median:,.0f}",
        _ranged(speed_against(results, name, CLASSIC, work)),
        _ranged(speed_against(results, name, LOWER_BOUND, work)),
        _ranged(seconds_of(results, name, command)),
        f"{speed_against(results, name, CLASSIC, command).median:.2f}",
        f"{spread([run.cpu_seconds for run in runs]).median:.1f}",
        _ranged(spread([run.others_cpu_seconds for run in runs]), 1),
        f"{runs[0].bytes / MB:.0f}",
    ]


def _explained(results: Results) -> str:
    rounds = len(next(iter(results.runs.values())))
    contenders = "\n".join(f"- {contender.name}: {contender.about}." for contender in CONTENDERS)
    repeated = sum(map(len, results.left_out.values()))
    return (
        f"Medians (least..greatest) of {rounds} rounds; in each round every contender ran once, and the order rotated. Work "
        "leaves out imports and start-up; the whole command is from its start to its exit. CPU is of all the command's "
        "processes, imports and start-up included. Others' CPU is what the rest of the machine used meanwhile. A run in which "
        f"that was more than {DISTURBED:.0%} of the machine is disturbed: it is repeated, up to twice ({repeated} were), and "
        "does not count when it stays so. A ratio compares the runs of one round, over the rounds in which neither was "
        "disturbed.\n\n"
        f"{contenders}"
    )


def _goal(goal: Goal) -> list[str]:
    wanted = f"≥ {goal.least:g}" if goal.least is not None else f"< {goal.below:g}"
    reached = f"{goal.reached:.2f}" if goal.reached < 100 else f"{goal.reached:.0f}"
    return [goal.name, wanted, reached, "yes" if goal.met else "**no**"]


def _startup(results: Results) -> list[list[str]]:
    names = {
        "direct": "direct, without Prefect",
        "no card": "the same with --no-report, without the data card",
        "prefect": "through a running Prefect server",
        "empty flow": "a flow of Prefect's own there that does nothing",
    }
    return [
        [
            names[runner],
            _ranged(spread([run.seconds for run in runs])),
            f"{spread([run.before for run in runs]).median:.2f}",
            f"{spread([run.after for run in runs]).median:.2f}",
        ]
        for runner, runs in results.startup.items()
    ]


def _planning(planning: dict[str, float]) -> str:
    return (
        f"Planning {planning['images']:,.0f} images into {planning['shards']:,.0f} shards: {planning['seconds']:.1f} s "
        f"({planning['partition_seconds']:.1f} s to split, shuffle, cut and fingerprint, {planning['write_seconds']:.1f} s to "
        f"write {planning['plan_mb']:.0f} MB), peak {planning['peak_mb']:.0f} MB, of which the listing and Python "
        f"{planning['peak_mb_with_listing_alone']:.0f} MB."
    )


def _memory(results: Results) -> list[list[str]]:
    return [
        [
            name,
            f"{memory['parent'] / MB:.0f}",
            f"{max(memory['children']) / MB:.0f}" if memory["children"] else "–",
            f"{memory['together'] / MB:.0f}",
        ]
        for name, memory in results.memory.items()
    ]


def _ranged(values: Spread, digits: int = 2) -> str:
    return f"{values.median:.{digits}f} ({values.least:.{digits}f}..{values.greatest:.{digits}f})"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, its first column to the left."""
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
