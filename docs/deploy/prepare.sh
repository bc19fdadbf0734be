#!/bin/sh
# Writes what Dagster reads at its start into DAGSTER_HOME; run as the user of the services, with
# the variables of isthmus.env, at first and after each upgrade. Changes nothing else.
set -eu
umask 077
release=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$ISTHMUS_HOME" "$DAGSTER_HOME"
{
    cat "$release/dagster.yaml"
    if [ -n "${ISTHMUS_DAGSTER_URL:-}" ]; then cat "$release/docs/deploy/storage.yaml"; fi
} > "$DAGSTER_HOME/.dagster.yaml.new"
mv "$DAGSTER_HOME/.dagster.yaml.new" "$DAGSTER_HOME/dagster.yaml"
cp "$release/docs/deploy/workspace.yaml" "$DAGSTER_HOME/workspace.yaml"
