"""What Python's huggingface_hub makes of a cache; run by tests/hub/shared.rs.

    python_cache.py download ENDPOINT CACHE ID    fetches a model into the cache
    python_cache.py find CACHE ID                 finds one there without the network

Prints one JSON object. Needs huggingface_hub (it comes with transformers).
"""

import json
import os
import sys


def main() -> None:
    command, *rest = sys.argv[1:]
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    if command == "download":
        endpoint, cache, model = rest
        from huggingface_hub import snapshot_download

        folder = snapshot_download(model, cache_dir=cache, endpoint=endpoint)
        print(json.dumps({"folder": folder}))
        return
    cache, model = rest
    os.environ["HF_HUB_OFFLINE"] = "1"
    from huggingface_hub import scan_cache_dir, snapshot_download, try_to_load_from_cache

    folder = snapshot_download(model, cache_dir=cache)
    found = scan_cache_dir(cache)
    repo = next(repo for repo in found.repos if repo.repo_id == model)
    print(
        json.dumps(
            {
                "folder": folder,
                "config": try_to_load_from_cache(model, "config.json", cache_dir=cache),
                "warnings": [str(warning) for warning in found.warnings],
                "refs": sorted(repo.refs),
                "size_on_disk": repo.size_on_disk,
                "files": sorted(
                    file.file_name for revision in repo.revisions for file in revision.files
                ),
            }
        )
    )


main()
