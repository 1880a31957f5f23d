# Nobody else's code is committed: npm brings the front-end parts, pinned by package-lock.json.
FROM node:22-bookworm AS parts
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY Makefile ./
COPY templates templates
COPY static/src static/src
RUN make vendor

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=parts /src/static/vendor static/vendor
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /skychimp . \
	&& mkdir /data

# Certificates to trust mail servers and buckets, time zones for the calendar, nothing else.
FROM alpine:3.22
RUN apk add --no-cache ca-certificates tzdata
COPY --from=build /skychimp /usr/local/bin/skychimp
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
ENV ADDR=0.0.0.0:8080 DATA_DIR=/data LOG_FORMAT=json
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD wget -q -O /dev/null http://127.0.0.1:8080/readyz
ENTRYPOINT ["skychimp"]
CMD ["serve"]
