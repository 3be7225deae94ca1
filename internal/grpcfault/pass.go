package grpcfault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
)

// pass is a call with its frames passed on in both directions. A call whose
// answer is to be lost ends with its first frame, or with its status where
// there is none.
func (p *Proxy) pass(client grpc.ServerStream, full string, fault Fault) (swallowed bool, err error) {
	lose := fault != None && fault != Slow
	ctx, cancel := context.WithCancel(forward(client.Context()))
	defer cancel()
	both := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	server, err := p.upstream.NewStream(ctx, both, full)
	if err != nil {
		return false, err
	}
	go func() {
		if err := upload(server, client); err != nil {
			cancel()
		}
	}()
	for first := true; ; first = false {
		var f frame
		err := server.RecvMsg(&f)
		if lose {
			return true, nil
		}
		if first {
			if header, herr := server.Header(); herr == nil && err == nil {
				_ = client.SendHeader(header) // the frame after it says if that failed
			}
		}
		if err != nil {
			client.SetTrailer(server.Trailer())
			return false, unlessEOF(err)
		}
		if err := client.SendMsg(&f); err != nil {
			return false, err
		}
	}
}

func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// upload passes on what the client sends, until it has sent all.
func upload(server grpc.ClientStream, client grpc.ServerStream) error {
	for {
		var f frame
		err := client.RecvMsg(&f)
		if errors.Is(err, io.EOF) {
			return server.CloseSend()
		}
		if err != nil {
			return err
		}
		if err := server.SendMsg(&f); err != nil {
			return unlessEOF(err) // io.EOF: the server has said why in its status
		}
	}
}

// forward is the context of a call to the server: with the client's deadline
// and its metadata, but for what gRPC makes itself.
func forward(ctx context.Context) context.Context {
	in, _ := metadata.FromIncomingContext(ctx)
	out := metadata.MD{}
	for key, values := range in {
		if strings.HasPrefix(key, ":") || strings.HasPrefix(key, "grpc-") || key == "content-type" || key == "user-agent" || key == "te" {
			continue
		}
		out[key] = values
	}
	return metadata.NewOutgoingContext(ctx, out)
}

// frame is a message as it is on the wire.
type frame struct{ data []byte }

// frames is the codec that leaves frames as they are. It has the name of the
// codec of the real client and server.
type frames struct{}

func (frames) Name() string { return "proto" }

func (frames) Marshal(v any) (mem.BufferSlice, error) {
	f, ok := v.(*frame)
	if !ok {
		return nil, fmt.Errorf("grpcfault: %T is no frame", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(f.data)}, nil
}

func (frames) Unmarshal(data mem.BufferSlice, v any) error {
	f, ok := v.(*frame)
	if !ok {
		return fmt.Errorf("grpcfault: %T is no frame", v)
	}
	f.data = data.Materialize()
	return nil
}
