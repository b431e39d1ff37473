#!/usr/bin/env bash
# Everything that must hold before a change lands: no warning, clean format, all tests.
# Usage: ./check.sh            all tests but the slow learning runs
#        ./check.sh --slow     those as well
set -euo pipefail
cd "$(dirname "$0")"

filter=(--filter-not-trait "Speed=Slow")
if [[ "${1:-}" == "--slow" ]]; then filter=(); fi

dotnet build Hone.slnx -c Release -warnaserror
dotnet format whitespace Hone.slnx --verify-no-changes --no-restore
dotnet test --solution Hone.slnx -c Release --no-build "${filter[@]}"
