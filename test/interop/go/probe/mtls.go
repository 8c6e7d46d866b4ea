package main

import (
	"bufio"
	"context"
	"fmt"
	"net"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
)

// serve listens with mutual TLS for the one SPIFFE ID that it lets in, and says of every caller who it is, or why it is refused, until it is killed.
func serve(ctx context.Context, args []string) error {
	allowed, err := spiffeid.FromString(args[1])
	if err != nil {
		return err
	}
	listener, err := spiffetls.Listen(ctx, "tcp", args[0], tlsconfig.AuthorizeID(allowed))
	if err != nil {
		return err
	}
	defer listener.Close()
	say(map[string]string{"listening": listener.Addr().String()})
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		answer(connection)
	}
}

func answer(connection net.Conn) {
	defer connection.Close()
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		say(map[string]string{"refused": err.Error()})
		return
	}
	peer, err := spiffetls.PeerIDFromConn(connection)
	if err != nil {
		say(map[string]string{"refused": err.Error()})
		return
	}
	fmt.Fprint(connection, line)
	say(map[string]string{"peer": peer.String()})
}

// dial sends a line to the one SPIFFE ID that it expects and says who answered with the same.
func dial(ctx context.Context, args []string) error {
	expected, err := spiffeid.FromString(args[1])
	if err != nil {
		return err
	}
	connection, err := spiffetls.Dial(ctx, "tcp", args[0], tlsconfig.AuthorizeID(expected))
	if err != nil {
		return err
	}
	defer connection.Close()
	fmt.Fprintln(connection, "hello")
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		return err
	}
	peer, err := spiffetls.PeerIDFromConn(connection)
	if err != nil {
		return err
	}
	say(map[string]string{"peer": peer.String(), "answer": line})
	return nil
}
