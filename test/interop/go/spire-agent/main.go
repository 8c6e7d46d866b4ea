// Command spire-agent is SPIRE's own command line for the Workload API, without the agent; see ../spire-server for why.
package main

import (
	"log"
	"os"

	"github.com/mitchellh/cli"
	"github.com/spiffe/spire/cmd/spire-agent/cli/api"
	"github.com/spiffe/spire/pkg/common/version"
)

func main() {
	line := cli.NewCLI("spire-agent", version.Version())
	line.Args = os.Args[1:]
	line.Commands = map[string]cli.CommandFactory{
		"api fetch x509":   func() (cli.Command, error) { return api.NewFetchX509Command(), nil },
		"api fetch jwt":    func() (cli.Command, error) { return api.NewFetchJWTCommand(), nil },
		"api validate jwt": func() (cli.Command, error) { return api.NewValidateJWTCommand(), nil },
		"api watch":        func() (cli.Command, error) { return &api.WatchCLI{}, nil },
	}
	status, err := line.Run()
	if err != nil {
		log.Println(err)
	}
	os.Exit(status)
}
