package messages

import "slices"

// PullPolicy says when an image is fetched from its registry.
type PullPolicy string

// The pull policies.
const (
	PullAlways       PullPolicy = "always"
	PullNewer        PullPolicy = "newer" // when the registry's digest differs
	PullIfNotPresent PullPolicy = "if_not_present"
	PullNever        PullPolicy = "never"
)

// Or is the policy, or fallback when none is given.
func (p PullPolicy) Or(fallback PullPolicy) PullPolicy {
	if p == "" {
		return fallback
	}
	return p
}

// Isolation is how a Windows container is kept apart.
type Isolation string

// The isolations; they mean something on Windows only.
const (
	IsolationAuto    Isolation = "auto"
	IsolationProcess Isolation = "process"
	IsolationHyperV  Isolation = "hyperv"
)

// Spec is the container a job wants. Entrypoint, Args, Workdir and User follow
// OCI's rules: left out, the image's own are used.
type Spec struct {
	Image      string            `json:"image"`
	Pull       PullPolicy        `json:"pull,omitzero"` // default: if_not_present
	Platform   *Platform         `json:"platform,omitzero"`
	Isolation  Isolation         `json:"isolation,omitzero"`
	Entrypoint []string          `json:"entrypoint,omitzero"`
	Args       []string          `json:"args,omitzero"`
	Env        map[string]string `json:"env,omitzero"`
	Workdir    string            `json:"workdir,omitzero"`
	User       string            `json:"user,omitzero"`
	Groups     []string          `json:"groups,omitzero"`
	Resources  Resources         `json:"resources,omitzero"`
	Ports      []Port            `json:"ports,omitzero"`
	Mounts     []Mount           `json:"mounts,omitzero"`
	Network    string            `json:"network,omitzero"` // default | host | none | container:<name>
	Hostname   string            `json:"hostname,omitzero"`
	DNS        []string          `json:"dns,omitzero"`
	ExtraHosts map[string]string `json:"extra_hosts,omitzero"` // name -> address
	Restart    *Restart          `json:"restart,omitzero"`
	Health     *Health           `json:"health,omitzero"`
	StopSignal string            `json:"stop_signal,omitzero"` // default: the image's, else TERM
	StopGrace  Duration          `json:"stop_grace,omitzero"`  // default: 10s
	ReadOnly   bool              `json:"read_only,omitzero"`
	TTY        bool              `json:"tty,omitzero"`
	Stdin      bool              `json:"stdin,omitzero"`
	Privileged bool              `json:"privileged,omitzero"`
	// NoNewPrivileges keeps programs from gaining privileges by setuid and the like.
	NoNewPrivileges bool `json:"no_new_privileges,omitzero"`

	CapAdd  []string          `json:"cap_add,omitzero"`
	CapDrop []string          `json:"cap_drop,omitzero"`
	Devices []string          `json:"devices,omitzero"` // /dev/x[:/dev/y[:rwm]]
	Sysctls map[string]string `json:"sysctls,omitzero"`
	Ulimits map[string]Ulimit `json:"ulimits,omitzero"` // nofile -> {soft, hard}
	Labels  map[string]string `json:"labels,omitzero"`

	// RegistryAuth is only ever sealed; plain credentials are refused.
	RegistryAuth *SealedAuth `json:"registry_auth,omitzero"`
}

// Resources are limits, and what placement reserves. Zero is no limit and
// nothing reserved.
type Resources struct {
	CPUMilli int64  `json:"cpu_milli,omitzero"` // thousandths of a core
	Memory   int64  `json:"memory,omitzero"`    // bytes
	PIDs     int64  `json:"pids,omitzero"`
	GPU      int64  `json:"gpu,omitzero"` // whole devices
	CPUSet   string `json:"cpuset,omitzero"`
}

// Port publishes a container's port on its node. Host 0 asks for one that is
// free.
type Port struct {
	Container uint16 `json:"container"`
	Host      uint16 `json:"host,omitzero"`
	Protocol  string `json:"protocol,omitzero"` // tcp (default) | udp
	HostIP    string `json:"host_ip,omitzero"`
}

// MountType is the kind of a mount's source.
type MountType string

// The mount types.
const (
	MountBind      MountType = "bind"
	MountVolume    MountType = "volume"
	MountAnonymous MountType = "anonymous"
	MountTmpfs     MountType = "tmpfs"
)

// Mount puts a directory into a container.
type Mount struct {
	Type     MountType `json:"type"`
	Source   string    `json:"source,omitzero"` // bind: a host path; volume: its name
	Target   string    `json:"target"`
	ReadOnly bool      `json:"read_only,omitzero"`
	Size     int64     `json:"size,omitzero"` // tmpfs: bytes
	// Copy is a registry reference, with a tag, at which a volume's data is kept
	// as well: it is fetched from there by the node that runs the job next, and
	// put there when the container has stopped.
	Copy string `json:"copy,omitzero"`
}

// HasCopies tells whether a volume of the container is kept at a registry too.
func (s *Spec) HasCopies() bool {
	return s != nil && slices.ContainsFunc(s.Mounts, func(m Mount) bool { return m.Copy != "" })
}

// HasLocalVolumes tells whether a volume of the container is nowhere but on its
// node.
func (s *Spec) HasLocalVolumes() bool {
	return s != nil && slices.ContainsFunc(s.Mounts, func(m Mount) bool { return m.Type == MountVolume && m.Copy == "" })
}

// RestartPolicy says after which exits a node starts a container again.
type RestartPolicy string

// The restart policies.
const (
	RestartNo            RestartPolicy = "no"
	RestartAlways        RestartPolicy = "always"
	RestartUnlessStopped RestartPolicy = "unless_stopped"
	RestartOnFailure     RestartPolicy = "on_failure"
)

// Restart is used up on the node before the fleet hears of a failure.
type Restart struct {
	Policy RestartPolicy `json:"policy"`
	Max    int           `json:"max,omitzero"`   // 0: no limit
	Delay  Duration      `json:"delay,omitzero"` // before the first; doubles
}

// Health is one check, repeated: exactly one of HTTP, TCP and Command.
type Health struct {
	HTTP       *HealthHTTP `json:"http,omitzero"`
	TCP        *HealthTCP  `json:"tcp,omitzero"`
	Command    []string    `json:"command,omitzero"`
	Interval   Duration    `json:"interval,omitzero"`    // default: 5s; 100ms is the shortest
	Timeout    Duration    `json:"timeout,omitzero"`     // default: 2s
	Retries    int         `json:"retries,omitzero"`     // default: 3
	StartGrace Duration    `json:"start_grace,omitzero"` // failures before it do not count
}

// HealthHTTP is healthy when GET answers 200 to 399.
type HealthHTTP struct {
	Port uint16 `json:"port"`
	Path string `json:"path,omitzero"` // default: /
}

// HealthTCP is healthy when the port accepts a connection.
type HealthTCP struct {
	Port uint16 `json:"port"`
}

// Ulimit is a process limit inside the container.
type Ulimit struct {
	Soft int64 `json:"soft"`
	Hard int64 `json:"hard"`
}
