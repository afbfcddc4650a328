module belay.dev/pause

go 1.26
