// All messages of the protocol, for tests and fuzzers that treat them alike: by their schemas.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/messages/api_versions.hpp"
#include "wire/kafka/messages/configs.hpp"
#include "wire/kafka/messages/fetch.hpp"
#include "wire/kafka/messages/groups.hpp"
#include "wire/kafka/messages/list_offsets.hpp"
#include "wire/kafka/messages/membership.hpp"
#include "wire/kafka/messages/metadata.hpp"
#include "wire/kafka/messages/offsets.hpp"
#include "wire/kafka/messages/produce.hpp"
#include "wire/kafka/messages/topics.hpp"
#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

struct MessageCase {
  const ApiDescription* api;
  bool is_request;
  const Schema* schema;
  std::shared_ptr<void> (*make)();  // a default message

  std::string name() const;  // "Produce request"
};

namespace internal {

template <class Message>
MessageCase CaseOf(bool is_request) {
  return {.api = FindApi(static_cast<int16_t>(Message::kApi)),
          .is_request = is_request,
          .schema = &Message::kSchema,
          .make = [] { return std::shared_ptr<void>(std::make_shared<Message>()); }};
}

template <class Request, class Response>
void AddCases(std::vector<MessageCase>* messages) {
  messages->push_back(CaseOf<Request>(true));
  messages->push_back(CaseOf<Response>(false));
}

inline std::vector<MessageCase> MakeAllMessages() {
  std::vector<MessageCase> all;
  AddCases<ProduceRequest, ProduceResponse>(&all);
  AddCases<FetchRequest, FetchResponse>(&all);
  AddCases<ListOffsetsRequest, ListOffsetsResponse>(&all);
  AddCases<MetadataRequest, MetadataResponse>(&all);
  AddCases<OffsetCommitRequest, OffsetCommitResponse>(&all);
  AddCases<OffsetFetchRequest, OffsetFetchResponse>(&all);
  AddCases<FindCoordinatorRequest, FindCoordinatorResponse>(&all);
  AddCases<JoinGroupRequest, JoinGroupResponse>(&all);
  AddCases<HeartbeatRequest, HeartbeatResponse>(&all);
  AddCases<LeaveGroupRequest, LeaveGroupResponse>(&all);
  AddCases<SyncGroupRequest, SyncGroupResponse>(&all);
  AddCases<DescribeGroupsRequest, DescribeGroupsResponse>(&all);
  AddCases<ListGroupsRequest, ListGroupsResponse>(&all);
  AddCases<ApiVersionsRequest, ApiVersionsResponse>(&all);
  AddCases<CreateTopicsRequest, CreateTopicsResponse>(&all);
  AddCases<DeleteTopicsRequest, DeleteTopicsResponse>(&all);
  AddCases<DeleteRecordsRequest, DeleteRecordsResponse>(&all);
  AddCases<InitProducerIdRequest, InitProducerIdResponse>(&all);
  AddCases<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(&all);
  AddCases<DescribeConfigsRequest, DescribeConfigsResponse>(&all);
  AddCases<AlterConfigsRequest, AlterConfigsResponse>(&all);
  AddCases<CreatePartitionsRequest, CreatePartitionsResponse>(&all);
  AddCases<DeleteGroupsRequest, DeleteGroupsResponse>(&all);
  AddCases<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(&all);
  AddCases<OffsetDeleteRequest, OffsetDeleteResponse>(&all);
  AddCases<DescribeClusterRequest, DescribeClusterResponse>(&all);
  return all;
}

}  // namespace internal

// Requests and responses of every supported API.
const std::vector<MessageCase>& AllMessages();
// The request or the response of an API.
const MessageCase& MessageOf(ApiKey api, bool is_request);

// Fills every field that the version has with a value that no other field has.
class MessageFiller {
 public:
  enum class Nulls : uint8_t { kNone, kAll };

  MessageFiller(int16_t version, Nulls nulls) : version_(version), nulls_(nulls) {}

  // Strings in `object` are views into the filler.
  void Fill(const Schema& schema, void* object);

 private:
  void FillValue(const Type& type, void* value);
  std::string_view NextText();

  int16_t version_;
  Nulls nulls_;
  int next_ = 1;
  std::deque<std::string> texts_;
};

inline std::string MessageCase::name() const {
  return std::string(api->name) + (is_request ? " request" : " response");
}

inline const std::vector<MessageCase>& AllMessages() {
  static const std::vector<MessageCase> kAll = internal::MakeAllMessages();
  return kAll;
}

inline const MessageCase& MessageOf(ApiKey api, bool is_request) {
  auto found = std::ranges::find_if(AllMessages(), [&](const MessageCase& message) {
    return message.api->key == api && message.is_request == is_request;
  });
  CHECK(found != AllMessages().end());
  return *found;
}

inline std::string_view MessageFiller::NextText() {
  return texts_.emplace_back("text " + std::to_string(next_++));
}

inline void MessageFiller::Fill(const Schema& schema, void* object) {
  for (const Field& field : schema.fields) {
    if (!field.InVersion(version_)) continue;
    void* member = field.member(object);
    if (field.optional == nullptr) {
      FillValue(field.type, member);
    } else if (nulls_ == Nulls::kAll && version_ >= field.versions.nullable_from) {
      field.optional->reset(member);
    } else {
      FillValue(field.type, field.optional->emplace(member));
    }
  }
}

inline void MessageFiller::FillValue(const Type& type, void* value) {
  using Kind = Type::Kind;
  switch (type.kind) {
    case Kind::kBool:
      *static_cast<bool*>(value) = next_++ % 2 == 0;
      return;
    case Kind::kInt8:
      *static_cast<int8_t*>(value) = static_cast<int8_t>(next_++);
      return;
    case Kind::kInt16:
      *static_cast<int16_t*>(value) = static_cast<int16_t>(-next_++);
      return;
    case Kind::kInt32:
      *static_cast<int32_t*>(value) = next_++ * 70000;
      return;
    case Kind::kInt64:
      *static_cast<int64_t*>(value) = next_++ * -5000000000;
      return;
    case Kind::kUuid:
      static_cast<Uuid*>(value)->fill(static_cast<uint8_t>(next_++));
      return;
    case Kind::kString:
      *static_cast<std::string_view*>(value) = NextText();
      return;
    case Kind::kBytes:
      *static_cast<Bytes*>(value) = AsBytes(NextText());
      return;
    case Kind::kRecords:
      static_cast<RecordSet*>(value)->bytes = AsBytes(NextText());
      return;
    case Kind::kStruct:
      return Fill(*type.schema, value);
    case Kind::kArray: {
      const ArrayAccess& access = *type.array;
      auto* element = static_cast<uint8_t*>(access.resize(value, 2));
      for (size_t i = 0; i < 2; ++i) FillValue(access.element, element + i * access.element_bytes);
    }
  }
}

}  // namespace meridian::wire::kafka
