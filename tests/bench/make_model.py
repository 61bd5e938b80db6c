"""Writes a random 4-bit model in the shape of a real one, for measuring.

    python make_model.py qwen2.5-0.5b FOLDER
    python make_model.py mistral-7b FOLDER      3.8 GB on disk, a few hundred MB in memory

Needs numpy alone. The weights are random, so the text is nonsense, and speed and memory are those
of the real model. The tokenizer is the classroom model's: its ids are within any vocabulary.
"""

import argparse
import json
import shutil
import struct
from pathlib import Path

import numpy as np

TOKENIZER = Path(__file__).parents[2] / "assets/classroom"
SHARD_BYTES = 1_000_000_000

SHAPES = {
    "qwen2.5-0.5b": dict(
        architectures=["Qwen2ForCausalLM"],
        model_type="qwen2",
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        vocab_size=151936,
        max_position_embeddings=32768,
        rms_norm_eps=1e-6,
        rope_theta=1000000.0,
        tie_word_embeddings=True,
    ),
    "llama-2-7b": dict(
        architectures=["LlamaForCausalLM"],
        model_type="llama",
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=32,
        vocab_size=32000,
        max_position_embeddings=4096,
        rms_norm_eps=1e-5,
        rope_theta=10000.0,
        tie_word_embeddings=False,
    ),
    "mistral-7b": dict(
        architectures=["MistralForCausalLM"],
        model_type="mistral",
        hidden_size=4096,
        intermediate_size=14336,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=8,
        vocab_size=32000,
        max_position_embeddings=32768,
        rms_norm_eps=1e-5,
        rope_theta=10000.0,
        sliding_window=4096,
        tie_word_embeddings=False,
    ),
}


def tensors(config, dtype, bits, group_size):
    """(name, safetensors type, shape, function that makes the bytes) of every tensor."""
    float_type = {"float16": "F16", "bfloat16": "BF16"}[dtype]

    def floats(name, shape, centre, spread):
        def make(rng):
            values = centre + spread * rng.standard_normal(shape, np.float32)
            if dtype == "float16":
                return values.astype(np.float16).tobytes()
            return (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()

        return name, float_type, shape, make

    def quantized(name, n_out, n_in):
        """Packed words of any content: q is even over 0 … 2^bits - 1, and scale and bias make of
        it a weight of mean 0 and variance 1 / n_in, which keeps activations of size 1."""
        words = (n_out, n_in * bits // 32)
        groups = (n_out, n_in // group_size)
        q_max = 2**bits - 1
        scale = np.sqrt(12 / n_in / (q_max * (q_max + 2)))

        def make(rng):
            return rng.integers(0, 2**32, words, np.uint32).tobytes()

        yield f"{name}.weight", "U32", words, make
        yield floats(f"{name}.scales", groups, scale, 0.1 * scale)
        yield floats(f"{name}.biases", groups, -scale * q_max / 2, 0.0)

    hidden, mlp = config["hidden_size"], config["intermediate_size"]
    kv = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    yield from quantized("model.embed_tokens", config["vocab_size"], hidden)
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}"
        for name, n_out in [("q_proj", hidden), ("k_proj", kv), ("v_proj", kv)]:
            yield from quantized(f"{layer}.self_attn.{name}", n_out, hidden)
            if config["model_type"] == "qwen2":
                yield floats(f"{layer}.self_attn.{name}.bias", (n_out,), 0.0, 0.1)
        yield from quantized(f"{layer}.self_attn.o_proj", hidden, hidden)
        yield from quantized(f"{layer}.mlp.gate_proj", mlp, hidden)
        yield from quantized(f"{layer}.mlp.up_proj", mlp, hidden)
        yield from quantized(f"{layer}.mlp.down_proj", hidden, mlp)
        yield floats(f"{layer}.input_layernorm.weight", (hidden,), 1.0, 0.1)
        yield floats(f"{layer}.post_attention_layernorm.weight", (hidden,), 1.0, 0.1)
    yield floats("model.norm.weight", (hidden,), 1.0, 0.1)
    if not config["tie_word_embeddings"]:
        yield from quantized("lm_head", config["vocab_size"], hidden)


def n_bytes(dtype, shape):
    return int(np.prod(shape)) * {"U32": 4, "F16": 2, "BF16": 2}[dtype]


def write_shard(path, shard, rng):
    """One safetensors file: 8 bytes of header length, the header as JSON, the tensors' bytes."""
    header, offset = {"__metadata__": {"format": "mlx"}}, 0
    for name, dtype, shape, _ in shard:
        end = offset + n_bytes(dtype, shape)
        header[name] = dict(dtype=dtype, shape=list(shape), data_offsets=[offset, end])
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, _, make in shard:
            file.write(make(rng))  # one tensor in memory at a time
    return offset


def shards_of(all_tensors):
    """The tensors in runs of about `SHARD_BYTES`."""
    shards, size = [[]], 0
    for tensor in all_tensors:
        if size > SHARD_BYTES:
            shards.append([])
            size = 0
        shards[-1].append(tensor)
        size += n_bytes(*tensor[1:3])
    return shards


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dtype", choices=["float16", "bfloat16"], default="float16")
    parser.add_argument("--bits", type=int, choices=[2, 3, 4, 6, 8], default=4)
    parser.add_argument("--group-size", type=int, choices=[32, 64, 128], default=64)
    args = parser.parse_args()

    quantization = dict(group_size=args.group_size, bits=args.bits)
    config = SHAPES[args.shape]
    args.folder.mkdir(parents=True, exist_ok=True)
    for old in args.folder.glob("model*.safetensors*"):
        old.unlink()
    written = dict(
        config,
        hidden_act="silu",
        torch_dtype=args.dtype,
        eos_token_id=2,
        quantization=quantization,
        quantization_config=quantization,
    )
    (args.folder / "config.json").write_text(json.dumps(written, indent=2) + "\n")
    for file in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(TOKENIZER / file, args.folder / file)

    rng = np.random.default_rng(0)
    shards = shards_of(tensors(config, args.dtype, **quantization))
    where, total = {}, 0
    for number, shard in enumerate(shards, start=1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        file = file if len(shards) > 1 else "model.safetensors"
        total += write_shard(args.folder / file, shard, rng)
        where.update({name: file for name, *_ in shard})
        print(f"{file}: {total / 1e9:.2f} GB so far", flush=True)
    if len(shards) > 1:
        index = dict(metadata=dict(total_size=total), weight_map=where)
        text = json.dumps(index, indent=2) + "\n"
        (args.folder / "model.safetensors.index.json").write_text(text)


if __name__ == "__main__":
    main()
