# Two stages: wheels are built in the first, the second holds a read-only environment and no build tools.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm
FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY .ci/locks locks
RUN python -m venv /opt/riskwatch \
 && /opt/riskwatch/bin/pip install --no-cache-dir --require-hashes -r locks/requirements.lock \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r locks/build-requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY riskwatch riskwatch
COPY config config
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation -w /opt/dist . \
 && /opt/riskwatch/bin/pip install --no-cache-dir --no-deps --no-index /opt/dist/*.whl

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 riskwatch \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/riskwatch --shell /usr/sbin/nologin riskwatch \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/riskwatch
COPY --from=build /opt/riskwatch /opt/riskwatch
ENV PATH=/opt/riskwatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RISKWATCH_DATA_DIR=/var/lib/riskwatch \
    RISKWATCH_HOST=0.0.0.0 \
    RISKWATCH_PORT=8470
USER 10001:10001
WORKDIR /var/lib/riskwatch
VOLUME /var/lib/riskwatch
EXPOSE 8470
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["riskwatch", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["riskwatch"]
CMD ["serve"]
