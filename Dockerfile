# Builds one static binary and puts it alone into an image without a shell.
# Nothing but /data is written, so the root file system may be read-only.
#
# Built for another machine, it is compiled on this one (BuildKit).
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
ARG REVISION=
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath -buildvcs=false \
		-ldflags "-s -w -buildid= -X main.release=${VERSION} -X main.revision=${REVISION}" -o /out/stagebridge ./cmd/stagebridge \
	&& mkdir /out/data

# Holds the root certificates that calls to vendors need, and the user nonroot.
FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=
ARG REVISION=
LABEL org.opencontainers.image.title="Stagebridge" \
	org.opencontainers.image.source="https://github.com/stagebridge/stagebridge" \
	org.opencontainers.image.licenses="Apache-2.0" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${REVISION}"
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
