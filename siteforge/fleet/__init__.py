"""The fleet: what is done with all tenants of a catalogue at once, without Pulumi's engine or around it."""
