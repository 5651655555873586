# The notebooks in a container, built from the very files that Binder reads:
#   docker build -t c2lab . && docker run --rm -p 8888:8888 c2lab
FROM python:3.11-slim

COPY binder/apt.txt /tmp/apt.txt
RUN apt-get update \
 && xargs --arg-file=/tmp/apt.txt apt-get install --yes --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home reader
WORKDIR /home/reader/c2lab
COPY --chown=reader . .
RUN pip install --no-cache-dir -r binder/requirements.txt && chown reader .
USER reader
RUN bash binder/postBuild

EXPOSE 8888
ENTRYPOINT ["binder/start"]
CMD ["c2lab", "lab", "--no-browser", "--port", "8888", "--ServerApp.ip=0.0.0.0"]
