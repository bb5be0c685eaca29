# Builds one static binary and puts it alone into an image without a shell.
# Nothing but /data is written, so the root file system may be read-only.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.release=${VERSION}" -o /out/stagebridge ./cmd/stagebridge \
	&& mkdir /out/data

# Holds the root certificates that calls to vendors need, and the user nonroot.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/stagebridge /stagebridge
# A new volume takes over the owner of the folder it covers.
COPY --from=build --chown=nonroot:nonroot /out/data /data
ENV STAGEBRIDGE_ADDR=0.0.0.0:8080 \
	STAGEBRIDGE_DATA_DIR=/data \
	STAGEBRIDGE_LOG_FORMAT=json
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["/stagebridge", "health"]
ENTRYPOINT ["/stagebridge"]
CMD ["serve"]
