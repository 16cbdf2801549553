// Command pulumi-resource-kubernetes serves the released pulumi-kubernetes provider module.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// Copied from the provider's module at build time.
//
//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

// Set by the linker.
var version string

func main() { provider.Serve("kubernetes", version, schema, terraformMapping) }
