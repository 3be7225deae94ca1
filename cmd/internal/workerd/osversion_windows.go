package workerd

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// osVersion is the build of Windows, which decides the images it runs.
func osVersion() string {
	v := windows.RtlGetVersion()
	return fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
}
