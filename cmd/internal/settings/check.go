package settings

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CheckServers checks URLs of NATS servers, separated by commas. Its errors show
// no password.
func CheckServers(flag, urls string) error {
	for text := range strings.SplitSeq(urls, ",") {
		text = strings.TrimSpace(text)
		whole := text
		if !strings.Contains(text, "://") {
			whole = "nats://" + text // as NATS's own programs read it
		}
		u, err := url.Parse(whole)
		if err != nil || u.Hostname() == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return fmt.Errorf("%s: %q is not the URL of a NATS server; want one such as nats://127.0.0.1:4222", flag, text[strings.LastIndex(text, "@")+1:])
		}
	}
	return nil
}

// CheckAddress checks an address to listen on.
func CheckAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s: %q is not HOST:PORT such as 127.0.0.1:8080, with port 0 for one that is free", flag, address)
	}
	return nil
}

// CheckFile checks that a file can be read; "" is none.
func CheckFile(flag, path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w; want a file that can be read", flag, err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return fmt.Errorf("%s: %s is a directory; want a file", flag, path)
	}
	return nil
}

// CheckDirectory checks that a directory is there; "" is none.
func CheckDirectory(flag, path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = errors.New(path + " is not a directory")
	}
	if err != nil {
		return fmt.Errorf("%s: %w; want a directory that is there", flag, err)
	}
	return nil
}

// CheckDuration checks that a duration is above 0.
func CheckDuration(flag string, d, such time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%s: %v is not allowed; want a duration above 0, such as %v", flag, d, such)
	}
	return nil
}

// CheckCount checks that a number is at least 1.
func CheckCount(flag string, n int) error {
	if n < 1 {
		return fmt.Errorf("%s: %d is not allowed; want at least 1", flag, n)
	}
	return nil
}
