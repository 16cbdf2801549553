#!/bin/sh
# Makes, in the pod's own folders, what Pulumi and the command write to, then runs the command.
# The root folder may be read-only; HOME has to be writable.
set -eu
mkdir -p "$PULUMI_HOME" "$HOME/project"
ln -sfn /opt/pulumi/plugins "$PULUMI_HOME/plugins"
for part in Pulumi.yaml __main__.py .venv; do
	ln -sfn "/srv/siteforge/$part" "$HOME/project/$part"
done
cd "$HOME/project"
exec "$@"
