// Command spire-server is SPIRE's own command line for a server's API, without the server: the command objects are those of SPIRE's module, under
// their own names, and only `run` and `validate` are left out. These two bring in every cloud plugin, which takes twenty minutes to compile.
package main

import (
	"log"
	"os"

	"github.com/mitchellh/cli"
	"github.com/spiffe/spire/cmd/spire-server/cli/agent"
	"github.com/spiffe/spire/cmd/spire-server/cli/bundle"
	"github.com/spiffe/spire/cmd/spire-server/cli/debug"
	"github.com/spiffe/spire/cmd/spire-server/cli/entry"
	"github.com/spiffe/spire/cmd/spire-server/cli/federation"
	"github.com/spiffe/spire/cmd/spire-server/cli/healthcheck"
	"github.com/spiffe/spire/cmd/spire-server/cli/jwt"
	localauthority "github.com/spiffe/spire/cmd/spire-server/cli/localauthority/x509"
	"github.com/spiffe/spire/cmd/spire-server/cli/token"
	"github.com/spiffe/spire/cmd/spire-server/cli/x509"
	"github.com/spiffe/spire/pkg/common/version"
)

func command(create func() cli.Command) cli.CommandFactory {
	return func() (cli.Command, error) { return create(), nil }
}

func main() {
	line := cli.NewCLI("spire-server", version.Version())
	line.Args = os.Args[1:]
	line.Commands = map[string]cli.CommandFactory{
		"agent ban":                command(agent.NewBanCommand),
		"agent count":              command(agent.NewCountCommand),
		"agent evict":              command(agent.NewEvictCommand),
		"agent list":               command(agent.NewListCommand),
		"agent purge":              command(agent.NewPurgeCommand),
		"agent show":               command(agent.NewShowCommand),
		"bundle count":             command(bundle.NewCountCommand),
		"bundle delete":            command(bundle.NewDeleteCommand),
		"bundle list":              command(bundle.NewListCommand),
		"bundle set":               command(bundle.NewSetCommand),
		"bundle show":              command(bundle.NewShowCommand),
		"debug getinfo":            command(debug.NewGetInfoCommand),
		"entry count":              command(entry.NewCountCommand),
		"entry create":             command(entry.NewCreateCommand),
		"entry delete":             command(entry.NewDeleteCommand),
		"entry show":               command(entry.NewShowCommand),
		"entry update":             command(entry.NewUpdateCommand),
		"federation list":          command(federation.NewListCommand),
		"healthcheck":              command(healthcheck.NewHealthCheckCommand),
		"jwt mint":                 command(jwt.NewMintCommand),
		"localauthority x509 show": command(localauthority.NewX509ShowCommand),
		"token generate":           command(token.NewGenerateCommand),
		"x509 mint":                command(x509.NewMintCommand),
	}
	status, err := line.Run()
	if err != nil {
		log.Println(err)
	}
	os.Exit(status)
}
