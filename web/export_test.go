package web

import "github.com/labstack/echo/v4"

// Routes gives every route there is.
func (w *Web) Routes() []*echo.Route { return w.echo.Routes() }
