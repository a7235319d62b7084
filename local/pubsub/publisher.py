"""The Publisher service, method by method; what is missing here is refused by the wire."""

from local.pubsub.broker import Broker
from local.pubsub.checks import TOPIC_UPDATABLE, check_mask, check_messages, check_topic
from local.pubsub.names import check_name, check_project, page
from local.pubsub.refusals import unavailable
from local.pubsub.wire import Empty, Proto, message, updated

PublishResponse = message("PublishResponse")
ListTopicsResponse = message("ListTopicsResponse")
ListTopicSubscriptionsResponse = message("ListTopicSubscriptionsResponse")


class PublisherService:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def create_topic(self, request: Proto) -> Proto:
        check_topic(request)
        await self._broker.create_topic(request)
        return request

    async def get_topic(self, request: Proto) -> Proto:
        check_name(request.topic, "topics")
        return self._broker.topic(request.topic).resource

    async def update_topic(self, request: Proto) -> Proto:
        check_mask(request.update_mask.paths, TOPIC_UPDATABLE, "topic")
        changed = updated(self._broker.topic(request.topic.name).resource, request.topic, request.update_mask)
        check_topic(changed)
        await self._broker.save_topic(changed)
        return changed

    async def list_topics(self, request: Proto) -> Proto:
        check_project(request.project)
        names = [name for name in self._broker.topics if name.startswith(f"{request.project}/")]
        shown, token = page(names, request.page_size, request.page_token)
        return ListTopicsResponse(topics=[self._broker.topic(name).resource for name in shown], next_page_token=token)

    async def list_topic_subscriptions(self, request: Proto) -> Proto:
        check_name(request.topic, "topics")
        names = list(self._broker.topic(request.topic).subscriptions)
        shown, token = page(names, request.page_size, request.page_token)
        return ListTopicSubscriptionsResponse(subscriptions=shown, next_page_token=token)

    async def delete_topic(self, request: Proto) -> Proto:
        check_name(request.topic, "topics")
        await self._broker.delete_topic(request.topic)
        return Empty()

    async def publish(self, request: Proto) -> Proto:
        check_name(request.topic, "topics")
        topic = self._broker.topic(request.topic)
        check_messages(request)
        if self._broker.weather.publish_fails():
            raise unavailable("The service was unable to fulfill your request. Please try again. (A fault asked for.)")
        return PublishResponse(message_ids=await self._broker.publish(topic, request.messages))
