// DescribeGroups, ListGroups and DeleteGroups: consumer groups as operators see them (Kafka's
// DescribeGroupsRequest.json and so on). Pure data; decoded strings are views into the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

struct DescribeGroupsRequest {
  static constexpr ApiKey kApi = ApiKey::kDescribeGroups;

  std::vector<std::string_view> groups;
  bool include_authorized_operations = false;

  static const Schema kSchema;
};

struct DescribeGroupsResponse {
  static constexpr ApiKey kApi = ApiKey::kDescribeGroups;

  struct Group {
    struct Member {
      std::string_view id;
      std::optional<std::string_view> group_instance_id;
      std::string_view client_id;
      std::string_view client_host;
      Bytes metadata;
      Bytes assignment;

      static const Schema kSchema;
    };

    ErrorCode error = ErrorCode::kNone;
    std::string_view id;
    // "Stable", "PreparingRebalance", "CompletingRebalance", "Empty", "Dead".
    std::string_view state;
    std::string_view protocol_type;
    std::string_view protocol_data;  // the chosen protocol
    std::vector<Member> members;
    int32_t authorized_operations = INT32_MIN;  // the default: not asked for

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Group> groups;

  static const Schema kSchema;
};

struct ListGroupsRequest {
  static constexpr ApiKey kApi = ApiKey::kListGroups;

  std::vector<std::string_view> states_filter;  // empty: all

  static const Schema kSchema;
};

struct ListGroupsResponse {
  static constexpr ApiKey kApi = ApiKey::kListGroups;

  struct Group {
    std::string_view id;
    std::string_view protocol_type;
    std::string_view state;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  ErrorCode error = ErrorCode::kNone;
  std::vector<Group> groups;

  static const Schema kSchema;
};

struct DeleteGroupsRequest {
  static constexpr ApiKey kApi = ApiKey::kDeleteGroups;

  std::vector<std::string_view> groups;

  static const Schema kSchema;
};

struct DeleteGroupsResponse {
  static constexpr ApiKey kApi = ApiKey::kDeleteGroups;

  struct Result {
    std::string_view group_id;
    ErrorCode error = ErrorCode::kNone;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  static const Schema kSchema;
};

}  // namespace meridian::wire::kafka
