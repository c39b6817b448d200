# One file for every function and for the command line:
#
#   docker build --build-arg PROJECT=functions/ExportFunction -t export .
#
# docs/images.md has the sizes, and the way with Google's buildpacks instead.

ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0-noble
ARG BASE_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra

FROM ${SDK_IMAGE} AS source
WORKDIR /source
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
COPY . .

# Before PROJECT is known, so that the images of one build share this layer.
RUN for project in functions/*/*.csproj cli/*.csproj; do \
        dotnet restore "$project" -r linux-x64 -p:GoogleCloudPackages=true -p:PublishReadyToRun=true || exit 1; \
    done

FROM source AS publish
ARG PROJECT
RUN dotnet publish "$PROJECT" --no-restore -c Release -r linux-x64 --self-contained false -o /app \
        -p:GoogleCloudPackages=true -p:PublishReadyToRun=true -p:DebugType=none -p:PublishDocumentationFiles=false

# The pages are built before the image is, where Node.js is.
RUN [ "$PROJECT" != functions/AdminApiFunction ] || [ -f /app/wwwroot/index.html ] || \
        { echo "There are no admin pages in the image: run admin-ui/build.sh first." >&2; exit 1; }

# One name to start whatever the project is called: the image has no shell that could put it together. A copied host still starts
# the assembly that it was made for.
RUN host=$(basename /app/*.runtimeconfig.json .runtimeconfig.json) && [ -x "/app/$host" ] && cp "/app/$host" /app/start

# Of the chiseled images only -extra has time zones, which schedules are written in. No shell, no package manager, no root.
FROM ${BASE_IMAGE}
WORKDIR /app
COPY --from=publish /app .
USER $APP_UID
ENV PORT=8080 DOTNET_TieredPGO=0 DOTNET_EnableDiagnostics=0
EXPOSE 8080
ENTRYPOINT ["/app/start"]
