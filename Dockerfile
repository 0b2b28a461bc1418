# wirewatch in a container: docs/install.md tells how to run it.

FROM rust:1-slim-bookworm AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin wirewatch \
    && cp target/release/wirewatch /usr/local/bin/wirewatch

FROM debian:bookworm-slim
# ca-certificates: the authorities that HTTPS and SMTP are checked against. tzdata: local times.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 wirewatch \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/wirewatch \
        --shell /usr/sbin/nologin wirewatch \
    && install -d -m 0700 -o 10001 -g 10001 /var/lib/wirewatch \
    && install -d -m 0755 /etc/wirewatch
COPY --from=builder /usr/local/bin/wirewatch /usr/bin/wirewatch
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/wirewatch/

# A relative store path is taken from STATE_DIRECTORY.
ENV STATE_DIRECTORY=/var/lib/wirewatch \
    WIREWATCH_CONFIG=/etc/wirewatch/wirewatch.toml
USER 10001:10001
WORKDIR /var/lib/wirewatch
VOLUME ["/var/lib/wirewatch"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m --timeout=10s --start-period=30s --retries=3 \
    CMD ["wirewatch", "status", "--quiet"]
ENTRYPOINT ["wirewatch"]
CMD ["run"]
