"""Measures Vitrine beside mlx-lm on the same model folder and prints a Markdown table.

    python compare.py FOLDER [--rounds 3] [--vitrine target/release/vitrine]

Run it with a Python that has mlx-lm 0.32.2 (and `mlx[cpu]` off macOS), on a machine with nothing
else to do. Every run is a process of its own; the contestants take turns, and the table shows
medians. On a CPU mlx-lm as it comes needs seconds for each token and minutes for a prompt, so it
gets fewer of both, and one round.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@dataclass
class Contestant:
    """A way to run the model, and how many tokens it is given."""

    name: str
    command: list
    prompt_tokens: int
    gen_tokens: int
    rounds: int

    def run(self):
        """One process; its figures as it printed them."""
        tokens = ["--prompt-tokens", self.prompt_tokens, "--gen-tokens", self.gen_tokens]
        command = [str(part) for part in [*self.command, *tokens]]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}")
        return json.loads(done.stdout)


def contestants(args):
    ours = [args.vitrine, "bench", "--model", args.model, "--json"]
    theirs = [sys.executable, HERE / "mlx_lm_run.py", args.model]
    few, n_slow, n = args.few_prompt_tokens, args.slow_gen_tokens, args.gen_tokens
    everyone = [
        Contestant("ours", ours, args.prompt_tokens, n, args.rounds),
        Contestant("mlx", [*ours, "--kernels", "mlx"], few, n, args.rounds),
        Contestant("cast", [*theirs, "--cast"], few, n, args.rounds),
        Contestant("as-is", theirs, args.slow_prompt_tokens, n_slow, args.slow_rounds),
    ]
    return [one for one in everyone if one.name in args.only.split(",")]


NAMES = {
    "ours": "vitrine",
    "mlx": "vitrine `--kernels mlx`",
    "cast": "mlx-lm, cast to float32",
    "as-is": "mlx-lm as it comes",
}


def medians(runs):
    """Median of every figure over the runs; what is no number is taken from the first."""
    first = runs[0]
    return {
        key: statistics.median(run[key] for run in runs)
        if isinstance(value, (int, float)) and not isinstance(value, bool)
        else value
        for key, value in first.items()
    }


def machine():
    """The machine's kind, in words: cores, processor, memory."""
    if platform.system() == "Darwin":
        kind = subprocess.check_output(["sysctl", "-n", "machdep.cpu.brand_string"], text=True)
        memory = int(subprocess.check_output(["sysctl", "-n", "hw.memsize"], text=True))
        extra = ""
    else:
        info = dict(
            line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line
        )
        info = {key.strip(): value.strip() for key, value in info.items()}
        kind = info.get("model name", platform.machine())
        sets = [name for name in ("avx2", "avx512f") if name in info.get("flags", "").split()]
        extra = f" ({', '.join(sets)})" if sets else ""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{os.cpu_count()} cores of {kind.strip()}{extra}, {memory / 2**30:.0f} GiB, {platform.system()}"


def table(everyone, found):
    print("| | prompt | prefill, tok/s | decode, tok/s | peak resident | load |")
    print("|---|---|---|---|---|---|")
    for one in everyone:
        run = found[one.name]
        resident = run.get("peak_resident_bytes")
        resident = f"{resident / 1e6:.0f} MB" if resident else "unknown"
        print(
            f"| {NAMES[one.name]} | {one.prompt_tokens} | {run['prefill_tps']:.3g} "
            f"| {run['decode_tps']:.3g} | {resident} | {run['load_s']:.2f} s |"
        )


def comparisons(found):
    """(what, figure, what is asked of it) for everything that was measured."""
    ours, mlx, cast, as_is = (found.get(name) for name in NAMES)
    if mlx and cast:
        for key in ["decode_tps", "prefill_tps"]:
            what = f"{key.removesuffix('_tps')}, `--kernels mlx` to mlx-lm cast"
            yield what, mlx[key] / cast[key], 0.95
    if ours and as_is:
        yield "decode, vitrine to mlx-lm as it comes", ours["decode_tps"] / as_is["decode_tps"], 60
    if ours:
        yield "share of the memory bandwidth reached in decode", ours["bandwidth_share"], 0.5
        yield "share of the float32 speed reached in prefill", ours["gflops_share"], 0.6
    for name, theirs in [("cast", cast), ("as it comes", as_is)]:
        if ours and theirs:
            ratio = theirs["peak_resident_bytes"] / ours["peak_resident_bytes"]
            yield f"resident memory, mlx-lm {name} to vitrine", ratio, 1


def report(args, everyone, found):
    print(f"\n{args.model.name}, {args.gen_tokens} tokens generated, medians of {args.rounds}")
    print(f"rounds. {machine()}.\n")
    table(everyone, found)
    print("\n| | measured | asked | |\n|---|---|---|---|")
    for what, figure, asked in comparisons(found):
        print(f"| {what} | {figure:.3g} | ≥ {asked} | {'✓' if figure >= asked else '✗'} |")
    if ours := found.get("ours"):
        print(
            f"\nMeasured by `vitrine bench`: {ours['bandwidth_gbs']:.1f} GB/s, "
            f"{ours['gflops']:.0f} GFLOP/s in float32; BLAS {ours['blas']}, kernels {ours['kernels']}."
        )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("model", type=Path, help="a folder, as make_model.py writes it")
    parser.add_argument("--vitrine", type=Path, default=ROOT / "target/release/vitrine")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--prompt-tokens", type=int, default=512, help="for vitrine's own kernels")
    parser.add_argument("--few-prompt-tokens", type=int, default=32, help="for MLX's, in float32")
    parser.add_argument("--slow-prompt-tokens", type=int, default=16, help="for mlx-lm as it comes")
    parser.add_argument("--slow-rounds", type=int, default=1, help="for mlx-lm as it comes")
    parser.add_argument("--gen-tokens", type=int, default=32)
    parser.add_argument("--slow-gen-tokens", type=int, default=2, help="for mlx-lm as it comes")
    parser.add_argument("--only", default=",".join(NAMES), help="some of them, joined by commas")
    args = parser.parse_args()
    args.model, args.vitrine = args.model.resolve(), args.vitrine.resolve()
    unknown = set(args.only.split(",")) - set(NAMES)
    if unknown:
        parser.error(f"--only knows {', '.join(NAMES)}, not {', '.join(sorted(unknown))}")

    everyone = contestants(args)
    runs = {one.name: [] for one in everyone}
    for number in range(max(args.rounds, args.slow_rounds)):
        for one in everyone:
            if number >= one.rounds:
                continue
            print(f"round {number + 1}: {NAMES[one.name]} …", file=sys.stderr, flush=True)
            runs[one.name].append(one.run())
    report(args, everyone, {name: medians(of) for name, of in runs.items()})


if __name__ == "__main__":
    main()
