/** What the chunk modes.js finds around it in first.js. */
declare const policy: {
  categories: Record<string, string[]>;
  modes: { vendors: string[]; signals: Record<string, string>; mode: string };
};
declare function may(id: string): boolean;
declare function jar(): string | null;
declare function companionIn(cookies: string | null): string;
declare function read(value: string): { over: boolean } | null;
declare function signals(): boolean;
