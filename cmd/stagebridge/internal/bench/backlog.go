package bench

import "context"

func (b *bench) backlog(context.Context) error { return nil }
func (b *bench) latency(context.Context) error { return nil }
func (b *bench) whole(context.Context) error { return nil }
func (b *bench) isolation(context.Context) error { return nil }
