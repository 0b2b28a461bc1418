# wirewatch in a container: docs/install.md tells how to run it, packaging/compose/ has an example.
#
# The image holds the program, authorities for TLS and time zones, and nothing else: no shell, and no
# library that would want updates. What a channel or feed of kind exec starts must be brought along.
# scripts/build-image builds the last stage alone, and tests/image.rs looks at what comes of it.

FROM rust:1-slim-bookworm AS builder
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils ca-certificates musl-tools tzdata \
    && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    target="$(uname -m)-unknown-linux-musl" \
    && cargo build --release --locked --bin wirewatch --target "$target" \
    && packaging/image/assemble "target/$target/release/wirewatch" / /tree

FROM scratch
COPY --from=builder /tree /
# Not every builder keeps the owner of what it copies.
COPY --from=builder --chown=10001:10001 /tree/var/lib/wirewatch /var/lib/wirewatch

LABEL org.opencontainers.image.title="wirewatch" \
    org.opencontainers.image.description="Watches news feeds and tells people what matched their rules" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
# A relative store path is taken from STATE_DIRECTORY.
ENV PATH=/usr/bin \
    STATE_DIRECTORY=/var/lib/wirewatch \
    WIREWATCH_CONFIG=/etc/wirewatch/wirewatch.toml
USER 10001:10001
WORKDIR /var/lib/wirewatch
VOLUME ["/var/lib/wirewatch"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m --timeout=10s --start-period=30s --retries=3 \
    CMD ["wirewatch", "healthcheck"]
ENTRYPOINT ["wirewatch"]
CMD ["run"]
