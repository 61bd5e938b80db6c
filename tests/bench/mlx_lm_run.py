"""One measured run of mlx-lm on a model folder, as JSON. `compare.py` starts it.

With `--cast`, every float tensor (scales, quantization biases, biases, norms) becomes float32
first: MLX's CPU kernels are many times faster then, and it is what Vitrine does at load.
"""

import argparse
import json
import platform
import resource
import time
from pathlib import Path

import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.generate import generate_step
from mlx_lm.utils import load_model


def peak_resident_bytes():
    """The most memory this process ever held."""
    if platform.system() == "Linux":
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def in_float32(value):
    return value.astype(mx.float32) if mx.issubdtype(value.dtype, mx.floating) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--prompt-tokens", type=int, required=True)
    parser.add_argument("--gen-tokens", type=int, required=True)
    parser.add_argument("--cast", action="store_true")
    args = parser.parse_args()

    start = time.perf_counter()
    model, _ = load_model(args.model)
    if args.cast:
        model.update(tree_map(in_float32, model.parameters()))
        mx.eval(model.parameters())
    load_s = time.perf_counter() - start

    # Any ids do; they differ, so that nothing can be looked up twice.
    prompt = mx.array([3 + 7 * i % 4000 for i in range(args.prompt_tokens)])
    start = time.perf_counter()
    times = []
    # The first token ends the prefill and is not counted as generated.
    for _ in generate_step(prompt, model, max_tokens=args.gen_tokens + 1):
        times.append(time.perf_counter())
    result = dict(
        load_s=load_s,
        prefill_tps=args.prompt_tokens / (times[0] - start),
        decode_tps=args.gen_tokens / (times[-1] - times[0]),
        peak_memory_bytes=mx.get_peak_memory(),
        peak_resident_bytes=peak_resident_bytes(),
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
