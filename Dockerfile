# One image for all of Belay: the operator's roles and the sidecar. See "Images" in docs/install.md.
FROM node:24 AS build
WORKDIR /source
# Packages first: they change less often than sources.
COPY package.json package-lock.json .npmrc ./
COPY contract/package.json contract/
COPY operator/package.json operator/
COPY sidecar/package.json sidecar/
COPY cli/package.json cli/
RUN npm ci
COPY . .
RUN node --disable-warning=ExperimentalWarning scripts/build.ts

FROM gcr.io/distroless/nodejs24-debian13:nonroot
COPY --from=build /source/dist/image/operator.mjs /source/dist/image/sidecar.mjs /source/LICENSE /app/
# By number: the kubelet cannot tell that a name is not root's.
USER 65532:65532
WORKDIR /app
ENTRYPOINT ["/nodejs/bin/node"]
