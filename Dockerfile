FROM node:24-slim AS build
WORKDIR /src
COPY . .
RUN docker/build.sh /opt/flink

FROM node:24-slim
COPY --from=build /opt/flink /opt/flink
# The volume of docker-compose.yml takes its owner from this folder.
RUN useradd --system --create-home --home-dir /home/flink flink \
  && mkdir -p /opt/flink/log /checkpoints \
  && chown -R flink:flink /opt/flink/conf /opt/flink/log /checkpoints
ENV FLINK_HOME=/opt/flink PATH=/opt/flink/bin:$PATH
WORKDIR /opt/flink
USER flink
EXPOSE 6123 8081
ENTRYPOINT ["/opt/flink/docker/entrypoint.sh"]
CMD ["help"]
