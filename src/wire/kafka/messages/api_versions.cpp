#include "wire/kafka/messages/api_versions.hpp"

#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

constexpr Schema ApiVersionsRequest::kSchema{{
    Of<&ApiVersionsRequest::client_software_name>({.from = 3}),
    Of<&ApiVersionsRequest::client_software_version>({.from = 3}),
}};

constexpr Schema ApiVersionsResponse::Api::kSchema{{
    Of<&Api::key>(),
    Of<&Api::min_version>(),
    Of<&Api::max_version>(),
}};

constexpr Schema ApiVersionsResponse::SupportedFeature::kSchema{{
    Of<&SupportedFeature::name>(),
    Of<&SupportedFeature::min_version>(),
    Of<&SupportedFeature::max_version>(),
}};

constexpr Schema ApiVersionsResponse::FinalizedFeature::kSchema{{
    Of<&FinalizedFeature::name>(),
    Of<&FinalizedFeature::max_version_level>(),
    Of<&FinalizedFeature::min_version_level>(),
}};

constexpr Schema ApiVersionsResponse::kSchema{{
    Of<&ApiVersionsResponse::error>(),
    Of<&ApiVersionsResponse::apis>(),
    Of<&ApiVersionsResponse::throttle_time_ms>({.from = 1}),
    Of<&ApiVersionsResponse::supported_features>({.from = 3, .tag = 0}),
    Of<&ApiVersionsResponse::finalized_features_epoch>({.from = 3, .tag = 1}),
    Of<&ApiVersionsResponse::finalized_features>({.from = 3, .tag = 2}),
}};

constexpr Schema InitProducerIdRequest::kSchema{{
    Of<&InitProducerIdRequest::transactional_id>({.nullable_from = 0}),
    Of<&InitProducerIdRequest::transaction_timeout_ms>(),
    Of<&InitProducerIdRequest::producer_id>({.from = 3}),
    Of<&InitProducerIdRequest::producer_epoch>({.from = 3}),
}};

constexpr Schema InitProducerIdResponse::kSchema{{
    Of<&InitProducerIdResponse::throttle_time_ms>(),
    Of<&InitProducerIdResponse::error>(),
    Of<&InitProducerIdResponse::producer_id>(),
    Of<&InitProducerIdResponse::producer_epoch>(),
}};

}  // namespace meridian::wire::kafka
