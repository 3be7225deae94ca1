package client

import "time"

// SetSilence says how long a streamed answer may say nothing, for tests that do
// not want to wait for a worker's beat.
func (c *Client) SetSilence(d time.Duration) { c.silence = d }
