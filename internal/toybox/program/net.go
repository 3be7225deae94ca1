package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// patience is how long the other end of a connection may take.
const patience = 10 * time.Second

// get HOST:PORT [PATH] prints what an HTTP server answers, without the head.
func get(p *process) int {
	if len(p.args) < 1 || len(p.args) > 2 {
		return p.fail(exitUsage, "get: want HOST:PORT and perhaps a path")
	}
	path := "/"
	if len(p.args) == 2 {
		path = p.args[1]
	}
	conn, err := net.DialTimeout("tcp", p.args[0], patience)
	if err != nil {
		return p.fail(exitFailure, "get: %v", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience)) // a socket that is gone fails at the write
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, p.args[0])
	answer, err := io.ReadAll(conn)
	if err != nil {
		return p.fail(exitFailure, "get: %v", err)
	}
	_, body, ok := strings.Cut(string(answer), "\r\n\r\n")
	if !ok {
		return p.fail(exitFailure, "get: %q is no answer", answer)
	}
	return p.print(body)
}

// echoUDP PORT sends every datagram back to where it came from.
func echoUDP(p *process) int {
	if len(p.args) != 1 {
		return p.fail(exitUsage, "udp-echo: want one port")
	}
	conn, err := net.ListenPacket("udp", net.JoinHostPort("", p.args[0]))
	if err != nil {
		return p.fail(exitFailure, "udp-echo: %v", err)
	}
	if code := p.print(fmt.Sprintf("listening %s\n", conn.LocalAddr())); code != exitOK {
		return code
	}
	buf := make([]byte, 64<<10)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return p.fail(exitFailure, "udp-echo: %v", err)
		}
		if _, err := conn.WriteTo(buf[:n], from); err != nil {
			return p.fail(exitFailure, "udp-echo: %v", err)
		}
	}
}
