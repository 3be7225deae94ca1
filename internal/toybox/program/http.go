package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"time"
)

// serveHTTP PORT answers GET on every path: /healthz with "ok", /status/503
// with that status, others with the path. Its few lines replace net/http, which would triple the program.
// Port 0 lets the kernel choose; the first line printed has the address.
func serveHTTP(p *process) int {
	if len(p.args) != 1 {
		return p.fail(exitUsage, "http: want one port")
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("", p.args[0]))
	if err != nil {
		return p.fail(exitFailure, "http: %v", err)
	}
	if code := p.print(fmt.Sprintf("listening %s\n", listener.Addr())); code != exitOK {
		return code
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return p.fail(exitFailure, "http: %v", err)
		}
		go answer(conn)
	}
}

// answer reads one request and closes the connection.
func answer(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // a socket that is gone fails at the read
	lines := bufio.NewScanner(conn)
	if !lines.Scan() {
		return
	}
	request := strings.Fields(lines.Text())
	for lines.Scan() && lines.Text() != "" {
		// the headers say nothing that matters here
	}
	status, body := "400 Bad Request", "bad request\n"
	if len(request) == 3 && request[0] == "GET" {
		status, body = "200 OK", request[1]+"\n"
		if request[1] == "/healthz" {
			body = "ok\n"
		}
		if code, ok := strings.CutPrefix(request[1], "/status/"); ok {
			status = code + " As Asked"
		}
	}
	fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, len(body), body)
}
