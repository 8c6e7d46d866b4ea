package main

import (
	"context"

	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc/status"
)

type watcher struct{}

func (watcher) OnX509ContextUpdate(update *workloadapi.X509Context) {
	one, err := describe(update.DefaultSVID(), update.Bundles)
	if err != nil {
		say(map[string]string{"code": "Unverified", "message": err.Error()})
		return
	}
	say(one)
}

func (watcher) OnX509ContextWatchError(err error) {
	say(map[string]string{"code": status.Code(err).String(), "message": err.Error()})
}

// watch says every update and every error, go-spiffe's retries included, until the process is killed.
func watch(ctx context.Context, _ []string) error {
	return workloadapi.WatchX509Context(ctx, watcher{})
}
