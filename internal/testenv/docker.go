package testenv

import (
	"os/exec"
	"testing"
)

// Docker is the command line of Docker, and that of Compose: "docker compose"
// (version 2), else "docker-compose". Whether a daemon runs is for the test to
// find out; one can be started where dockerd is there. Docker implies Root.
func Docker(t testing.TB) (docker string, compose []string) {
	t.Helper()
	Root(t)
	docker, err := exec.LookPath("docker")
	if err != nil {
		leaveOut(t, "Docker is not there (on Debian: apt-get install docker.io docker-compose)")
	}
	if exec.Command(docker, "compose", "version").Run() == nil {
		return docker, []string{docker, "compose"}
	}
	compose1, err := exec.LookPath("docker-compose")
	if err != nil {
		leaveOut(t, "Docker Compose is not there (on Debian: apt-get install docker-compose)")
	}
	return docker, []string{compose1}
}
