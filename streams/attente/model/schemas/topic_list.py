"""`topics.yaml`: what `attente topics plan|apply` holds a broker to, for people and other tools."""

from attente.model.topics import EVENTS, TopicSpec, topics


def topic_list() -> dict[str, object]:
    """Every topic with its settings, live and, where they differ, in an archive."""
    live = topics(1)
    archive = {topic.name: topic for topic in topics(1, archive=True)}
    return {
        "partitions": "one number for all topics, chosen when they are made and never changed: "
        "at least twice as many as workers ever",
        "replication": "1 on a single broker, else 3: min.insync.replicas is one less",
        "topics": [_topic(topic, archive[topic.name]) for topic in live],
    }


def _topic(live: TopicSpec, archive: TopicSpec) -> dict[str, object]:
    schema = {"schema": "json/event.json", "examples": "examples/valid"} if live.name == EVENTS else {}
    differs = {name: value for name, value in archive.config.items() if live.config.get(name) != value}
    return {
        "name": live.name,
        "description": live.description,
        "key": live.key,
        "producers": list(live.producers),
        "consumers": list(live.consumers),
        **schema,
        "config": dict(live.config),
        **({"archive": differs} if differs else {}),
    }
