package remote

import "github.com/shunt-fleet/shunt/pkg/runtime"

// operations is how the far end does each operation of the port.
var operations = map[string]handler{
	"Platforms": ask0(runtime.Runtime.Platforms),
	"Describe":  ask0(runtime.Runtime.Describe),

	"Pull":         pull,
	"ListImages":   ask0(runtime.Runtime.ListImages),
	"RemoveImage":  do2(runtime.Runtime.RemoveImage),
	"PruneImages":  ask0(runtime.Runtime.PruneImages),
	"TagImage":     do2(runtime.Runtime.TagImage),
	"ImageHistory": ask1(runtime.Runtime.ImageHistory),
	"SearchImages": ask2(runtime.Runtime.SearchImages),
	"SaveImages":   write1(runtime.Runtime.SaveImages),
	"LoadImages":   loadImages,
	"ImportImage":  importImage,

	"Create":          do3(runtime.Runtime.Create),
	"Start":           do1(runtime.Runtime.Start),
	"Stop":            do2(runtime.Runtime.Stop),
	"Kill":            do2(runtime.Runtime.Kill),
	"Remove":          do2(runtime.Runtime.Remove),
	"Rename":          do2(runtime.Runtime.Rename),
	"Pause":           do1(runtime.Runtime.Pause),
	"Unpause":         do1(runtime.Runtime.Unpause),
	"UpdateResources": do2(runtime.Runtime.UpdateResources),
	"PruneContainers": ask0(runtime.Runtime.PruneContainers),
	"SyncVolumes":     ask2(runtime.Runtime.SyncVolumes),

	"List":         ask0(runtime.Runtime.List),
	"State":        ask1(runtime.Runtime.State),
	"Inspect":      ask1(runtime.Runtime.Inspect),
	"Stats":        ask1(runtime.Runtime.Stats),
	"StatsStream":  sequence(runtime.Runtime.StatsStream, noBytes),
	"PID":          ask1(runtime.Runtime.PID),
	"IP":           ask1(runtime.Runtime.IP),
	"PortOverride": ask1(runtime.Runtime.PortOverride),
	"PortMappings": ask1(runtime.Runtime.PortMappings),
	"NamespaceID":  ask1(runtime.Runtime.NamespaceID),
	"Top":          ask1(runtime.Runtime.Top),
	"Changes":      ask1(runtime.Runtime.Changes),

	"Wait":        ask1(runtime.Runtime.Wait),
	"WaitOutcome": ask2(runtime.Runtime.WaitOutcome),
	"Logs":        sequence(runtime.Runtime.Logs, logBytes),
	"Exec":        ask2(runtime.Runtime.Exec),
	"ExecStream":  sequence(runtime.Runtime.ExecStream, eventBytes),
	"ExecSession": execSession,
	"Probe":       ask2(runtime.Runtime.Probe),

	"CopyIn":  copyIn,
	"CopyOut": write2(runtime.Runtime.CopyOut),
	"Export":  write1(runtime.Runtime.Export),
	"Commit":  ask2(runtime.Runtime.Commit),
}

// The bytes of an item, which travel beside its JSON.

func noBytes(*runtime.Stats) *[]byte { return nil }

func logBytes(e *runtime.LogEntry) *[]byte { return &e.Message }

func eventBytes(e *runtime.ExecEvent) *[]byte { return &e.Data }
