#include "wire/kafka/messages/configs.hpp"

#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

constexpr Schema DescribeConfigsRequest::Resource::kSchema{{
    Of<&Resource::type>(),
    Of<&Resource::name>(),
    Of<&Resource::keys>({.nullable_from = 0}),
}};

constexpr Schema DescribeConfigsRequest::kSchema{{
    Of<&DescribeConfigsRequest::resources>(),
    Of<&DescribeConfigsRequest::include_synonyms>({.from = 1}),
    Of<&DescribeConfigsRequest::include_documentation>({.from = 3}),
}};

constexpr Schema DescribeConfigsResponse::Result::Config::Synonym::kSchema{{
    Of<&Synonym::name>(),
    Of<&Synonym::value>({.nullable_from = 0}),
    Of<&Synonym::source>(),
}};

constexpr Schema DescribeConfigsResponse::Result::Config::kSchema{{
    Of<&Config::name>(),
    Of<&Config::value>({.nullable_from = 0}),
    Of<&Config::read_only>(),
    Of<&Config::source>({.from = 1}),
    Of<&Config::is_sensitive>(),
    Of<&Config::synonyms>({.from = 1}),
    Of<&Config::type>({.from = 3}),
    Of<&Config::documentation>({.from = 3, .nullable_from = 3}),
}};

constexpr Schema DescribeConfigsResponse::Result::kSchema{{
    Of<&Result::error>(),
    Of<&Result::error_message>({.nullable_from = 0}),
    Of<&Result::type>(),
    Of<&Result::name>(),
    Of<&Result::configs>(),
}};

constexpr Schema DescribeConfigsResponse::kSchema{{
    Of<&DescribeConfigsResponse::throttle_time_ms>(),
    Of<&DescribeConfigsResponse::results>(),
}};

constexpr Schema AlterConfigsRequest::Resource::Config::kSchema{{
    Of<&Config::name>(),
    Of<&Config::value>({.nullable_from = 0}),
}};

constexpr Schema AlterConfigsRequest::Resource::kSchema{{
    Of<&Resource::type>(),
    Of<&Resource::name>(),
    Of<&Resource::configs>(),
}};

constexpr Schema AlterConfigsRequest::kSchema{{
    Of<&AlterConfigsRequest::resources>(),
    Of<&AlterConfigsRequest::validate_only>(),
}};

constexpr Schema AlterConfigsResponse::Result::kSchema{{
    Of<&Result::error>(),
    Of<&Result::error_message>({.nullable_from = 0}),
    Of<&Result::type>(),
    Of<&Result::name>(),
}};

constexpr Schema AlterConfigsResponse::kSchema{{
    Of<&AlterConfigsResponse::throttle_time_ms>(),
    Of<&AlterConfigsResponse::results>(),
}};

constexpr Schema IncrementalAlterConfigsRequest::Resource::Config::kSchema{{
    Of<&Config::name>(),
    Of<&Config::operation>(),
    Of<&Config::value>({.nullable_from = 0}),
}};

constexpr Schema IncrementalAlterConfigsRequest::Resource::kSchema{{
    Of<&Resource::type>(),
    Of<&Resource::name>(),
    Of<&Resource::configs>(),
}};

constexpr Schema IncrementalAlterConfigsRequest::kSchema{{
    Of<&IncrementalAlterConfigsRequest::resources>(),
    Of<&IncrementalAlterConfigsRequest::validate_only>(),
}};

constexpr Schema IncrementalAlterConfigsResponse::Result::kSchema{{
    Of<&Result::error>(),
    Of<&Result::error_message>({.nullable_from = 0}),
    Of<&Result::type>(),
    Of<&Result::name>(),
}};

constexpr Schema IncrementalAlterConfigsResponse::kSchema{{
    Of<&IncrementalAlterConfigsResponse::throttle_time_ms>(),
    Of<&IncrementalAlterConfigsResponse::results>(),
}};

}  // namespace meridian::wire::kafka
