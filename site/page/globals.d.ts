// search.js becomes one file with MiniSearch and the index.
declare const porticoSearchData: string;
declare const MiniSearch: typeof import("minisearch").default;
