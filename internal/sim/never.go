package sim

import "strings"

const (
	noJetStream = "a worker has no JetStream API"
	notYetAsked = "no op and no verb asks for it yet"
	othersClose = "who opened it closes it, and that is the main"
	inInspect   = "Inspect tells it as well"
)

// never are the calls that no loop makes, with the reason why not. One that is
// made after all fails the runs, as one that is missing here does.
var never = map[Role]map[string]string{
	Worker: {
		"Bucket.*":   noJetStream,
		"Delivery.*": noJetStream,
		"Bus.Bucket": noJetStream, "Bus.Consume": noJetStream, "Bus.Ensure": noJetStream,
		"Bus.Last": noJetStream, "Bus.All": noJetStream,
		"Bus.Close": othersClose, "Journal.Close": othersClose,

		"Runtime.Changes": notYetAsked, "Runtime.Commit": notYetAsked, "Runtime.CopyIn": notYetAsked,
		"Runtime.CopyOut": notYetAsked, "Runtime.Export": notYetAsked, "Runtime.ImageHistory": notYetAsked,
		"Runtime.ImportImage": notYetAsked, "Runtime.LoadImages": notYetAsked, "Runtime.SaveImages": notYetAsked,
		"Runtime.SearchImages": notYetAsked, "Runtime.Top": notYetAsked, "Runtime.Pause": notYetAsked,
		"Runtime.Unpause": notYetAsked, "Runtime.UpdateResources": notYetAsked, "Runtime.PruneContainers": notYetAsked,
		"Runtime.IP": inInspect, "Runtime.PID": inInspect, "Runtime.PortOverride": inInspect,
		"Runtime.PortMappings": inInspect, "Runtime.NamespaceID": inInspect,
		"Runtime.Wait": "WaitOutcome tells more",
	},
	Placer: {
		"Bus.Close":       othersClose,
		"Bus.Probe":       "a placer streams no answers",
		"Delivery.Extend": "what takes long goes on beside the lanes",
	},
}

// neverMade is why a role never makes a call, or "".
func neverMade(r Role, call string) string {
	if why := never[r][call]; why != "" {
		return why
	}
	port, _, _ := strings.Cut(call, ".")
	return never[r][port+".*"]
}
